/** What is read from descriptions (RFC 8839, RFC 8122). Pure. */

/** @param {string} sdp */
export function ufrags(sdp) {
  return new Set([...sdp.matchAll(/^a=ice-ufrag:(\S+)/gm)].map(([, ufrag]) => ufrag));
}

/** Of the DTLS certificate. @param {string} sdp */
export function fingerprint(sdp) {
  return /^a=fingerprint:\s*(.*?)\s*$/m.exec(sdp)?.[1].toLowerCase() ?? null;
}

/** The rooms that are open, and the ways into one. */

import { Component, html } from "./html.js";
import { Icon } from "./icons.js";
import { Name } from "./parts.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../core/protocol.js").RoomRow} RoomRow
 */

/** @param {{app: App}} props */
export function LobbyView({ app }) {
  return html`<main class="lobby">
    <header class="brand">
      <h1>roomcall</h1>
      <p>Video rooms, with browsers and without.</p>
    </header>
    <section class="card" aria-labelledby="rooms-title">
      <div class="heading">
        <h2 id="rooms-title">Open rooms</h2>
        <input
          type="search"
          aria-label="Search rooms by name"
          placeholder="Search"
          maxlength="128"
          onInput=${(/** @type {any} */ { target }) => app.lobby?.search(target.value)}
        />
      </div>
      <${Rooms} app=${app} />
    </section>
    <div class="side">
      <${JoinForm} app=${app} />
      <${NewRoomForm} app=${app} />
    </div>
  </main>`;
}

/** @param {{app: App}} props */
function Rooms({ app }) {
  const { rooms, hasMore, query } = app.lobby ?? { rooms: null, hasMore: false, query: "" };
  if (rooms === null) return html`<p class="hint">Looking …</p>`;
  if (!rooms.length) {
    return html`<p class="hint">
      ${query ? "No room has a name like that." : "No room is open. Make one!"}
    </p>`;
  }
  return html`
    <ul class="rooms">
      ${rooms.map((room) => html`<${RoomItem} key=${room.id} app=${app} room=${room} />`)}
    </ul>
    ${hasMore && html`<button type="button" onClick=${() => app.lobby?.more()}>Show more</button>`}
  `;
}

/** @param {{app: App, room: RoomRow}} props */
function RoomItem({ app, room }) {
  const { name, participantCount: count, maxParticipants: most, description } = room;
  const people = most ? `${count} of ${most}` : `${count}`;
  return html`<li>
    <div class="about">
      <h3><${Name} name=${name} /></h3>
      ${description && html`<p class="description"><bdi>${description}</bdi></p>`}
      <p class="tags">
        <span class="tag"
          ><${Icon} name="people" />${people} ${count === 1 && !most ? "person" : "people"}</span
        >
        ${room.state === "IN_CALL" && html`<span class="tag live">in a call</span>`}
        ${room.state === "SCHEDULED" && html`<span class="tag">opens later</span>`}
        ${room.hasPassword && html`<span class="tag"><${Icon} name="lock" />password</span>`}
        ${room.locked && html`<span class="tag"><${Icon} name="lock" />locked</span>`}
      </p>
    </div>
    <button
      type="button"
      class="primary"
      aria-label=${`Join ${name}`}
      onClick=${() => app.open(name)}
    >
      Join
    </button>
  </li>`;
}

/** @param {{app: App}} props */
function JoinForm({ app }) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const room = text(new FormData(/** @type {HTMLFormElement} */ (event.target)), "room");
    if (room) app.open(room);
  };
  return html`<form class="card" onSubmit=${submit}>
    <h2>Join a room</h2>
    <label>Its name or id <input name="room" required maxlength="128" autocomplete="off" /></label>
    <p class="hint">Where there is none of that name, it is made.</p>
    <button class="primary">Join</button>
  </form>`;
}

/** @extends {Component<{app: App}, {problem: string}>} */
class NewRoomForm extends Component {
  state = { problem: "" };

  /** @param {SubmitEvent} event */
  submit = (event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const name = text(fields, "name");
    const [opensAt, closesAt] = [timeOf(fields, "opensAt"), timeOf(fields, "closesAt")];
    const problem = !name
      ? "The room needs a name."
      : closesAt && closesAt <= (opensAt ?? new Date().toISOString())
        ? "It must close after it opens."
        : "";
    this.setState({ problem });
    if (problem) return;
    const password = text(fields, "password");
    this.props.app.make({
      name,
      maxParticipants: Number(text(fields, "maxParticipants")) || 0,
      metadata: { description: text(fields, "description"), private: fields.has("private") },
      ...(password && { password }),
      ...(opensAt && { opensAt }),
      ...(closesAt && { closesAt }),
    });
  };

  render() {
    return html`<form class="card" onSubmit=${this.submit}>
      <h2>Make a room</h2>
      <label>Name <input name="name" required maxlength="128" autocomplete="off" /></label>
      <details>
        <summary>More about it</summary>
        <label
          >What it is about <textarea name="description" rows="2" maxlength="1024"></textarea>
        </label>
        <div class="pair">
          <label
            >Password
            <input name="password" type="password" maxlength="256" autocomplete="new-password"
          /></label>
          <label
            >Most people
            <input name="maxParticipants" type="number" min="1" max="1000" placeholder="any"
          /></label>
          <label>Opens <input name="opensAt" type="datetime-local" /></label>
          <label>Closes <input name="closesAt" type="datetime-local" /></label>
        </div>
        <label class="check"
          ><input name="private" type="checkbox" /> Private: only its link leads to it</label
        >
      </details>
      ${this.state.problem && html`<p class="problem" role="alert">${this.state.problem}</p>`}
      <button class="primary">Make it</button>
    </form>`;
  }
}

/** @param {FormData} fields @param {string} name */
function text(fields, name) {
  const value = fields.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/**
 * RFC 3339 in UTC, of what is local time in the form.
 * @param {FormData} fields
 * @param {string} name
 */
function timeOf(fields, name) {
  const value = text(fields, name);
  return value ? new Date(value).toISOString() : undefined;
}

/** What is said in the room. */

import { explained, shownTime } from "../core/wording.js";
import { Refused } from "../signaling/client.js";
import { Component, html, takesFocus } from "./html.js";
import { IconButton, Name } from "./parts.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../app/call.js").Call} Call
 * @typedef {import("../core/protocol.js").ChatMessage} ChatMessage
 */

const MAX_CHAT = 4096;
const NEAR = 40; // pixels from the end, where one follows what comes

/**
 * @typedef {{problem: string, to: string}} State `to`: the id of one member; "": all
 *
 * @extends {Component<{app: App, call: Call, onClose: () => void}, State>}
 */
export class ChatPanel extends Component {
  state = { problem: "", to: "" };
  /** @type {HTMLElement | null} */
  #list = null;
  #atEnd = true;

  componentDidMount() {
    this.#follow();
  }

  componentDidUpdate() {
    this.#follow();
  }

  /** Stay at the newest, unless somebody reads further up. */
  #follow() {
    if (this.#list && this.#atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  older = () => this.props.call.chat.older();

  scrolled = () => {
    const list = this.#list;
    if (list) this.#atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
  };

  /** @param {Event} event */
  submit = async (event) => {
    event.preventDefault();
    const field = /** @type {HTMLFormElement} */ (event.currentTarget).querySelector("textarea");
    const text = field?.value.trim() ?? "";
    if (!field || !text) return;
    field.value = "";
    this.#atEnd = true;
    try {
      await this.props.call.chat.say(text, this.state.to);
      this.setState({ problem: "" });
    } catch (error) {
      if (!field.value) field.value = text;
      const { code, detail } = error instanceof Refused ? error : new Refused("no-answer");
      this.setState({ problem: explained(code, detail) });
    }
  };

  /** Enter sends, with Shift it begins a line. @param {KeyboardEvent} event */
  key = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    /** @type {HTMLTextAreaElement} */ (event.currentTarget).form?.requestSubmit();
  };

  render() {
    const { call, onClose } = this.props;
    const { messages, hasMore } = call.chat.log;
    const { to } = this.state;
    const others = call.room.members.map(({ id }) => id).filter((id) => id !== call.id);
    // Who has left stays chosen: what was meant for one is not said to all.
    const choices = to && !others.includes(to) ? [...others, to] : others;
    const label = `Message to ${to ? call.nameOf(to) : "all"}`;
    return html`<section
      class="panel"
      aria-labelledby="chat-title"
      onKeyDown=${(/** @type {KeyboardEvent} */ { key }) => key === "Escape" && onClose()}
    >
      <header>
        <h2 id="chat-title">Chat</h2>
        <${IconButton} icon="close" label="Close the chat" kind="quiet" onClick=${onClose} />
      </header>
      <div
        class="messages"
        role="log"
        aria-labelledby="chat-title"
        tabindex="0"
        onScroll=${this.scrolled}
        ref=${(/** @type {HTMLElement | null} */ list) => (this.#list = list)}
      >
        ${hasMore && html`<button type="button" onClick=${this.older}>Show older</button>`}
        ${!messages.length && html`<p class="hint">Nobody has said anything yet.</p>`}
        ${messages.map(
          (message, index) =>
            html`<${Said}
              key=${keyOf(message)}
              call=${call}
              message=${message}
              isFollowing=${isFollowing(messages[index - 1], message)}
            />`,
        )}
      </div>
      <form class="say" onSubmit=${this.submit}>
        ${this.state.problem && html`<p class="problem" role="alert">${this.state.problem}</p>`}
        ${
          choices.length > 0 &&
          html`<select
            aria-label="Who it is for"
            value=${to}
            onChange=${(/** @type {Event} */ { target }) =>
              this.setState({ to: /** @type {HTMLSelectElement} */ (target).value })}
          >
            <option value="">To all</option>
            ${choices.map((id) => html`<option key=${id} value=${id}>${call.nameOf(id)} only</option>`)}
          </select>`
        }
        <textarea
          rows="1"
          aria-label=${label}
          placeholder=${label}
          maxlength=${MAX_CHAT}
          onKeyDown=${this.key}
          ref=${takesFocus}
        ></textarea>
        <button class="icon-button primary" aria-label="Send" title="Send">
          <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 12l16-8-5 17-4-7z" />
          </svg>
        </button>
      </form>
    </section>`;
  }
}

/** @param {{call: Call, message: ChatMessage, isFollowing: boolean}} props */
function Said({ call, message, isFollowing }) {
  const own = message.from === call.id;
  const name = own ? "You" : call.nameOf(message.from);
  return html`<div class=${`said ${own ? "own" : ""}`}>
    <p class=${isFollowing ? "visually-hidden" : "by"}>
      <${Name} name=${name} />
      ${
        message.to &&
        html`<span>(to <${Name} name=${own ? call.nameOf(message.to) : "you"} /> only)</span>`
      }
      <time datetime=${message.sentAt}>${shownTime(message.sentAt, new Date())}</time>
    </p>
    <p class="text"><bdi>${message.payload}</bdi></p>
  </div>`;
}

/** @param {ChatMessage | undefined} before @param {ChatMessage} message */
const isFollowing = (before, { from, to }) => before?.from === from && before.to === to;

/** @param {ChatMessage} message */
const keyOf = ({ id, from, sentAt }) => (id === null ? `${from} ${sentAt}` : `${id}`);

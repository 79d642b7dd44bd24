import { App } from "./app/app.js";
import { html, render } from "./views/html.js";
import { Page } from "./views/page.js";

const root = /** @type {HTMLElement} */ (document.getElementById("page"));
export const app = new App(() => render(html`<${Page} app=${app} />`, root));
app.start();

import "./chat.css";
import { Chat } from "./chat";
import { restWhenHidden } from "./rest";

const { key, title } = document.body.dataset;
const isEmbedded = new URLSearchParams(location.search).has("embed") && parent !== window;
const chat = new Chat({ root: document.getElementById("chat")!, key: key!, title: title!, isEmbedded });
const canHover = matchMedia("(hover: hover)").matches;

function tellParent(what: string): void {
  parent.postMessage({ frontdesk: what }, "*");
}

/** A phone's keyboard shrinks only the visual viewport on some systems: the page takes its height from there. */
function fitToViewport(viewport: VisualViewport): void {
  const fit = () => document.documentElement.style.setProperty("--height", `${viewport.height}px`);
  viewport.addEventListener("resize", fit);
  fit();
}

addEventListener("online", () => chat.wake());
addEventListener("offline", () => chat.offline());
addEventListener("pageshow", (event) => event.persisted && chat.wake());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && chat.wake());

if (isEmbedded) {
  document.documentElement.classList.add("embedded");
  chat.closeButton.addEventListener("click", () => tellParent("close"));
  addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && tellParent("close"));
  addEventListener("message", (event) => {
    if (event.source !== parent || typeof event.data?.frontdesk !== "string") return;
    chat.setPanelOpen(event.data.frontdesk === "opened");
    if (event.data.frontdesk === "opened") chat.focus();
  });
} else if (window.visualViewport) {
  fitToViewport(window.visualViewport);
}

restWhenHidden(`frontdesk.${key}.hidden`, () => chat.rest());
chat.start();
// On a phone the focus would open the keyboard over the greeting.
if (canHover && !isEmbedded) chat.focus();
if (isEmbedded) tellParent("ready");

import "./chat.css";
import { Chat } from "./chat";
import { Host } from "./host";
import { restWhenHidden } from "./rest";
import { LocalStore } from "./storage";

const { key = "", title = "" } = document.body.dataset;
const isEmbedded = new URLSearchParams(location.search).has("embed") && parent !== window;
const store = new LocalStore(`frontdesk.${key}.`);

/** A phone's keyboard shrinks only the visual viewport on some systems: the page takes its height from there. */
function fitToViewport(viewport: VisualViewport): void {
  const fit = () => document.documentElement.style.setProperty("--height", `${viewport.height}px`);
  viewport.addEventListener("resize", fit);
  fit();
}

function start(): Chat {
  const chat = new Chat({ root: document.getElementById("chat")!, key, title, isEmbedded, store });
  addEventListener("online", () => chat.wake());
  addEventListener("offline", () => chat.offline());
  addEventListener("pageshow", (event) => event.persisted && chat.wake());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && chat.wake());
  restWhenHidden(`frontdesk.${key}.hidden`, () => chat.rest());
  chat.start();
  return chat;
}

if (isEmbedded) {
  document.documentElement.classList.add("embedded");
  new Host(store, start).greet();
} else {
  if (window.visualViewport) fitToViewport(window.visualViewport);
  const chat = start();
  // On a phone the focus would open the keyboard over the greeting.
  if (matchMedia("(hover: hover)").matches) chat.focus();
}

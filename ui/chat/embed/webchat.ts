import css from "./webchat.css?inline";

type Said = { frontdesk?: string; count?: number; items?: Record<string, string> };

const script = document.currentScript as HTMLScriptElement;
const key = script.dataset.key ?? "";
const home = new URL(script.src).origin;
const spanish = navigator.language.toLowerCase().startsWith("es");
const OPEN = spanish ? "Abrir el chat" : "Open chat";
const CLOSE = spanish ? "Cerrar el chat" : "Close chat";
const UNREAD = spanish ? "mensajes nuevos" : "new messages";
const USED = `frontdesk.${key}.used`;
const KEPT = `frontdesk.${key}.kept`;

const host = document.createElement("frontdesk-chat");
const root = host.attachShadow({ mode: "open" });
const launcher = document.createElement("button");
const dot = document.createElement("span");
const panel = document.createElement("div");
let frame: HTMLIFrameElement | null = null;
let isReady = false;
let isOpen = false;

function build(): void {
  // A constructed sheet needs no style-src of the host page; an old browser gets a style element.
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = css;
    root.append(style);
  }
  launcher.type = "button";
  launcher.append(drawing("chat", "M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2Z"));
  launcher.append(drawing("down", "m6 9.5 6 6 6-6"), dot);
  dot.className = "dot";
  dot.hidden = true;
  panel.className = "panel";
  panel.hidden = true;
  launcher.addEventListener("click", () => (isOpen ? close() : open()));
  root.append(panel, launcher);
  root.addEventListener("keydown", (event) => (event as KeyboardEvent).key === "Escape" && close());
  if (script.dataset.accent) host.style.setProperty("--frontdesk-accent", script.dataset.accent);
  label(0);
  document.body.append(host);
}

function drawing(name: string, d: string): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", name);
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(space, "path"));
  svg.firstElementChild!.setAttribute("d", d);
  return svg;
}

/** The frame is loaded at the first opening, or at once for a visitor who has used the chat on this site before. */
function load(): void {
  if (frame) return;
  frame = document.createElement("iframe");
  frame.title = "Chat";
  frame.src = `${home}/chat/${encodeURIComponent(key)}?embed=1`;
  panel.append(frame);
}

function label(unread: number): void {
  dot.hidden = unread === 0 || isOpen;
  launcher.setAttribute("aria-expanded", String(isOpen));
  launcher.setAttribute("aria-label", isOpen ? CLOSE : dot.hidden ? OPEN : `${OPEN} (${unread} ${UNREAD})`);
}

function tell(what: string): void {
  if (isReady) frame?.contentWindow?.postMessage({ frontdesk: what, kept: JSON.parse(read(KEPT) ?? "{}") }, home);
}

function open(): void {
  if (isOpen) return;
  isOpen = true;
  load();
  panel.hidden = false;
  host.toggleAttribute("open", true);
  label(0);
  write(USED, "1");
  frame?.focus();
  tell("opened");
}

function close(): void {
  if (!isOpen) return;
  isOpen = false;
  panel.hidden = true;
  host.toggleAttribute("open", false);
  label(0);
  tell("closed");
  launcher.focus();
}

function hear(event: MessageEvent<Said>): void {
  if (!frame || event.source !== frame.contentWindow || event.origin !== home) return;
  if (event.data.frontdesk === "close") close();
  else if (event.data.frontdesk === "unread") label(event.data.count ?? 0);
  else if (event.data.frontdesk === "keep") write(KEPT, JSON.stringify(event.data.items));
  else if (event.data.frontdesk === "ready") {
    isReady = true;
    tell(isOpen ? "opened" : "closed");
  }
}

/** A browser may deny the frame its storage, but not the page: what the frame can't keep is kept here. */
function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Without storage the chat begins anew with the next page.
  }
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function start(): void {
  build();
  addEventListener("message", hear);
  // A phone's keyboard shrinks only the visual viewport on some systems: the full-screen panel takes its height from it.
  const viewport = window.visualViewport;
  viewport?.addEventListener("resize", () => host.style.setProperty("--frontdesk-height", `${viewport.height}px`));
  if (read(USED)) load();
}

declare global {
  interface Window {
    Frontdesk?: { open: () => void; close: () => void };
  }
}

if (!window.Frontdesk) {
  window.Frontdesk = { open, close };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
}

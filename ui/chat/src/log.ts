import { element, icon, ICONS } from "./dom";
import { renderMarkdown, renderPicture, renderPlain } from "./markdown";
import type { Texts } from "./texts";
import type { Row } from "./timeline";

type Bubble = Extract<Row, { kind: "bubble" }>;

export interface LogActions {
  retry(key: string): void;
  discard(key: string): void;
}

/** Draws rows into the log by key: a row that is still there keeps its node, so nothing flickers or is read out twice. */
export class Log {
  private drawn = new Map<string, { node: HTMLElement; content: string }>();
  private readonly time: Intl.DateTimeFormat;
  private readonly day: Intl.DateTimeFormat;
  private readonly full: Intl.DateTimeFormat;

  constructor(
    private readonly root: HTMLElement,
    private readonly texts: Texts,
    private readonly actions: LogActions,
    language: string,
  ) {
    // The visitor's own region decides on 12 or 24 hours, our language on the words.
    const region = navigator.language.startsWith(language) ? navigator.language : language;
    this.time = new Intl.DateTimeFormat(region, { hour: "numeric", minute: "2-digit" });
    this.day = new Intl.DateTimeFormat(region, { weekday: "long", day: "numeric", month: "long" });
    this.full = new Intl.DateTimeFormat(region, { dateStyle: "full", timeStyle: "short" });
  }

  draw(rows: Row[], assistantName: string, isOffline: boolean): void {
    const kept = new Map<string, { node: HTMLElement; content: string }>();
    const keys = new Set(rows.map((row) => row.key));
    const isTakingOver = [...this.drawn.keys()].some((key) => key.startsWith("draft.") && !keys.has(key));
    let before: ChildNode | null = this.root.firstChild;
    for (const [index, row] of rows.entries()) {
      const content = JSON.stringify(row.kind === "bubble" ? { ...row, isFirst: 0 } : row) + isOffline;
      const drawn = this.drawn.get(row.key);
      const node = drawn?.node ?? element("div");
      if (drawn?.content !== content) node.replaceChildren(...this.content(row, isOffline));
      node.className = classOf(row, assistantName);
      if (row.kind === "bubble" && row.isDraft) node.setAttribute("aria-hidden", "true");
      kept.set(row.key, { node, content });
      if (node === before) before = before.nextSibling;
      else this.root.insertBefore(node, before);
      if (!drawn && this.drawn.size && index >= rows.length - 2 && !isTakingOver) enter(node);
    }
    for (const [key, { node }] of this.drawn) if (!kept.has(key)) node.remove();
    this.drawn = kept;
  }

  private content(row: Row, isOffline: boolean): (Node | string)[] {
    if (row.kind === "day") return [element("span", {}, this.dayName(new Date(row.at)))];
    if (row.kind === "note") return [row.text];
    if (row.kind === "typing") return [element("div", { class: "dots", "aria-hidden": "true" }, dot(), dot(), dot())];
    return this.bubble(row, isOffline);
  }

  private bubble(row: Bubble, isOffline: boolean): Node[] {
    const speaker = row.from === "visitor" ? this.texts.you : (row.name ?? this.texts.assistant);
    const body = row.from === "visitor" ? renderPlain(row.text) : renderMarkdown(row.text);
    if (row.image) body.prepend(renderPicture(row.image, row.text || this.texts.picture));
    const colon = element("span", { class: "only-read" }, ": ");
    const nodes: Node[] = [
      element("span", { class: row.from === "person" ? "speaker" : "speaker only-read" }, speaker, colon),
      element("div", { class: "bubble" }, body),
    ];
    if (row.pending) nodes.push(this.pendingLine(row.pending.refusal, row.key, isOffline));
    else if (row.at) nodes.push(this.timeLine(row.at));
    return nodes;
  }

  private timeLine(at: string): HTMLElement {
    const date = new Date(at);
    return element("time", { class: "meta", datetime: at, title: this.full.format(date) }, this.time.format(date));
  }

  private pendingLine(refusal: string, key: string, isOffline: boolean): HTMLElement {
    if (!refusal) return element("span", { class: "meta" }, isOffline ? this.texts.waiting : this.texts.sending);
    const line = element("span", { class: "meta refused", role: "alert" }, icon(...ICONS.alert));
    line.append(`${this.texts.notSent}. ${refusal} `);
    line.append(
      button(this.texts.retry, () => this.actions.retry(key)),
      button(this.texts.discard, () => this.actions.discard(key)),
    );
    return line;
  }

  private dayName(date: Date): string {
    const midnight = new Date().setHours(0, 0, 0, 0);
    const days = Math.round((midnight - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
    if (days === 0) return this.texts.today;
    if (days === 1) return this.texts.yesterday;
    return this.day.format(date);
  }
}

function classOf(row: Row, assistantName: string): string {
  if (row.kind !== "bubble") return `row ${row.kind}`;
  const place = `${row.isFirst ? " first" : ""}${row.isLast ? " last" : ""}`;
  const state = `${row.isDraft ? " draft" : ""}${row.pending ? " pending" : ""}`;
  const isNamed = row.from === "person" || (row.name !== null && row.name !== assistantName);
  return `row ${row.from}${place}${state}${isNamed ? " named" : ""}`;
}

/** A new row comes in softly; one that takes the place of a draft must not move at all. */
function enter(node: HTMLElement): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  node.animate([{ opacity: 0, transform: "translateY(6px)" }, {}], { duration: 180, easing: "ease-out" });
}

function dot(): HTMLElement {
  return element("i");
}

function button(label: string, action: () => void): HTMLElement {
  const node = element("button", { type: "button", class: "link" }, label);
  node.addEventListener("click", action);
  return node;
}

import type { Session } from "./api";
import { element, icon, ICONS } from "./dom";
import type { Texts } from "./texts";

const NEAR_END_PX = 80;
const NEAR_START_PX = 240;

/** The fixed parts of the page: header, notices, the scrolling log, the pill that leads to new messages. */
export class Screen {
  readonly log: HTMLElement;
  readonly close: HTMLButtonElement;
  readonly pill: HTMLButtonElement;
  private readonly name = element("h1");
  private readonly about = element("p", { class: "about" });
  private readonly avatar = element("div", { class: "avatar", "aria-hidden": "true" });
  private readonly banner = element("div", { class: "banner", role: "status" });
  private readonly model: HTMLElement;
  private readonly spoken = element("div", { class: "only-read", role: "status" });
  private readonly hello = element("h2");
  private readonly welcome: HTMLElement;
  private readonly older: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly pillText = element("span");

  constructor(
    root: HTMLElement,
    private readonly texts: Texts,
    composer: HTMLElement,
    isEmbedded: boolean,
  ) {
    this.close = element("button", { type: "button", class: "close", "aria-label": texts.close }, icon(...ICONS.close));
    this.close.hidden = !isEmbedded;
    this.model = element("p", { class: "model" }, icon(...ICONS.info), texts.smallModel);
    this.model.hidden = true;
    this.welcome = element(
      "div",
      { class: "welcome" },
      element("div", { class: "avatar large", "aria-hidden": "true" }),
      this.hello,
      element("p", {}, texts.hint),
    );
    this.welcome.hidden = true;
    this.older = element("p", { class: "older", role: "status" }, texts.older);
    this.older.hidden = true;
    this.log = element("div", { class: "log", role: "log", "aria-label": texts.log, "aria-live": "off" });
    this.scroller = element("div", { class: "scroller", tabindex: "-1" }, this.welcome, this.log);
    this.pill = element("button", { type: "button", class: "pill" }, icon(...ICONS.down), this.pillText);
    this.pill.hidden = true;
    const title = element("div", { class: "title" }, this.name, this.about);
    const bar = element("div", { class: "bar" }, this.avatar, title, this.close);
    const header = element("header", {}, bar, this.model, this.banner);
    // The notice lies over the log: in it, coming and going, it would move what is being read.
    const stage = element("div", { class: "stage" }, this.older, this.scroller, this.pill);
    root.replaceChildren(header, element("main", {}, stage, composer, this.spoken));
    this.pill.addEventListener("click", () => this.toEnd(true));
  }

  introduce(session: Session | null, title: string): void {
    const name = session?.assistant_name ?? session?.organization_name ?? title;
    const place = session && session.organization_name !== name ? `${session.organization_name} · ` : "";
    this.name.textContent = name || this.texts.assistant;
    this.about.textContent = place + this.texts.assistant;
    this.hello.textContent = session?.assistant_name ? this.texts.hello(name) : this.texts.helloAnonymous;
    for (const avatar of [this.avatar, this.welcome.firstElementChild!]) avatar.textContent = initials(name);
    this.model.hidden = !session?.is_small_model;
  }

  setBanner(text: string, kind: "offline" | "lost" | "" = ""): void {
    this.banner.textContent = text;
    this.banner.dataset.kind = kind;
  }

  setTyping(text: string): void {
    if (this.spoken.textContent !== text) this.spoken.textContent = text;
  }

  setEmpty(isEmpty: boolean): void {
    this.welcome.hidden = !isEmpty;
  }

  setLoadingOlder(isLoading: boolean): void {
    this.older.hidden = !isLoading;
  }

  setPill(count: number): void {
    this.pill.hidden = this.isAtEnd();
    this.pillText.textContent = count ? this.texts.newMessages(count) : "";
    this.pill.classList.toggle("counting", count > 0);
    this.pill.setAttribute("aria-label", count ? this.texts.newMessages(count) : this.texts.toNewest);
  }

  isAtEnd(): boolean {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_END_PX;
  }

  isAtStart(): boolean {
    return this.scroller.scrollTop < NEAR_START_PX;
  }

  toEnd(isSmooth = false): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: isSmooth && !calm ? "smooth" : "auto" });
  }

  /** Draws while what the visitor reads stays where it is, although rows were put above it. */
  keepPlace(draw: () => void): void {
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
    draw();
    this.scroller.scrollTop = this.scroller.scrollHeight - fromEnd;
  }

  /** Stored history is not news: it is put in without being read out, and only what follows is. */
  quietly(draw: () => void): void {
    this.log.setAttribute("aria-live", "off");
    draw();
    setTimeout(() => this.log.setAttribute("aria-live", "polite"), 300);
  }

  onScroll(callback: () => void): void {
    this.scroller.addEventListener("scroll", callback, { passive: true });
    // The keyboard of a phone and a growing composer take room from below: the newest message stays in sight.
    let wasAtEnd = true;
    this.scroller.addEventListener("scroll", () => (wasAtEnd = this.isAtEnd()), { passive: true });
    new ResizeObserver(() => wasAtEnd && this.toEnd()).observe(this.scroller);
  }
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return letters.map((word) => [...word][0]!.toUpperCase()).join("");
}

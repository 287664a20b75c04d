import { element, icon, ICONS } from "./dom";
import type { Texts } from "./texts";

// From here on the visitor is shown how much room is left.
const COUNT_FROM = 0.9;
const TALLEST_PX = 168;

/** Where the visitor writes. Grows with the text; keeps an unsent text over a reload of this tab. */
export class Composer {
  readonly root: HTMLFormElement;
  private readonly field: HTMLTextAreaElement;
  private readonly count: HTMLElement;
  private readonly button: HTMLButtonElement;

  constructor(
    private readonly texts: Texts,
    private readonly draftName: string,
    private readonly send: (text: string) => void,
    private limit: number,
  ) {
    this.field = element("textarea", {
      id: "text",
      rows: "1",
      placeholder: texts.placeholder,
      "aria-label": texts.compose,
      "aria-describedby": "count",
      enterkeyhint: "send",
      autocomplete: "off",
      dir: "auto",
    });
    this.count = element("div", { id: "count", class: "count", role: "status" });
    this.button = element("button", { class: "send", "aria-label": texts.send }, icon(...ICONS.send));
    const frame = element("div", { class: "frame" }, this.field, this.button);
    this.root = element("form", { class: "composer" }, frame, this.count);
    this.listen();
    this.field.value = this.remembered();
    this.update();
  }

  focus(): void {
    this.field.focus({ preventScroll: true });
  }

  /** The server's limit, in Unicode characters. */
  setLimit(limit: number): void {
    this.limit = limit;
    this.update();
  }

  private listen(): void {
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener("input", () => this.update());
    this.field.addEventListener("keydown", (event) => {
      // Enter also closes an input method's list of candidates: that one isn't ours.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    });
    this.root.firstElementChild!.addEventListener("click", (event) => {
      if (event.target === event.currentTarget) this.focus();
    });
  }

  private submit(): void {
    const text = this.field.value.trim();
    if (!text || this.length() > this.limit) return this.focus();
    this.field.value = "";
    this.update();
    this.focus();
    this.send(text);
  }

  private length(): number {
    return [...this.field.value.trim()].length;
  }

  private update(): void {
    const length = this.length();
    const isOver = length > this.limit;
    const isNear = length > this.limit * COUNT_FROM;
    this.count.textContent = isOver
      ? `${this.texts.tooLong(this.limit)} (${length})`
      : isNear
        ? `${length} / ${this.limit}`
        : "";
    this.root.classList.toggle("over", isOver);
    this.field.setAttribute("aria-invalid", String(isOver));
    this.button.disabled = length === 0 || isOver;
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, TALLEST_PX)}px`;
    this.remember();
  }

  private remembered(): string {
    try {
      return sessionStorage.getItem(this.draftName) ?? "";
    } catch {
      return "";
    }
  }

  private remember(): void {
    try {
      sessionStorage.setItem(this.draftName, this.field.value);
    } catch {
      // Storage is blocked: an unsent text lives as long as the page.
    }
  }
}

import type { Message } from "./api";

interface Draft {
  turnId: number;
  seq: number;
  text: string;
}

/** What is known of the conversation: stored messages by position, the draft that is being written, the typing sign. */
export class Conversation {
  readonly messages: Message[] = [];
  draft: Draft | null = null;
  hasOlder = false;
  private typingTurn: number | null = null;
  private withdrawn = new Set<number>();
  private deliveredUpTo = new Map<number, number>();

  get newest(): number {
    return this.messages.at(-1)?.position ?? 0;
  }

  get oldest(): number | null {
    return this.messages[0]?.position ?? null;
  }

  get isTyping(): boolean {
    return this.typingTurn !== null && this.visibleDraft() === null;
  }

  /** Adds stored messages; a position that is already here is left alone. True when something was new. */
  add(incoming: Message[]): boolean {
    const known = new Set(this.messages.map((message) => message.position));
    const fresh = incoming.filter((message) => !known.has(message.position));
    if (!fresh.length) return false;
    this.messages.push(...fresh);
    this.messages.sort((a, b) => a.position - b.position);
    for (const message of fresh) this.settle(message);
    return true;
  }

  setTyping(on: boolean, turnId: number): void {
    if (on) this.typingTurn = turnId;
    else if (this.typingTurn === turnId) this.typingTurn = null;
  }

  setDraft(turnId: number, seq: number, text: string): void {
    if (this.withdrawn.has(turnId)) return;
    if (this.draft?.turnId === turnId && this.draft.seq >= seq) return;
    this.draft = { turnId, seq, text };
  }

  withdraw(turnId: number): void {
    this.withdrawn.add(turnId);
    if (this.draft?.turnId === turnId) this.draft = null;
    this.setTyping(false, turnId);
  }

  /** A new line to the server says anew what is going on; what the old one said may be long over. */
  forgetLive(): void {
    this.draft = null;
    this.typingTurn = null;
  }

  clear(): void {
    this.messages.length = 0;
    this.hasOlder = false;
    this.forgetLive();
  }

  /** The draft without the parts of its turn that have been delivered as messages; null when nothing is left of it. */
  visibleDraft(): Draft | null {
    if (!this.draft) return null;
    const text = this.draft.text.slice(this.deliveredUpTo.get(this.draft.turnId) ?? 0).trim();
    return text ? { ...this.draft, text } : null;
  }

  /** A delivered message takes the place of its part of the draft; one without a turn (a person's) of all of it. */
  private settle(message: Message): void {
    if (message.from === "visitor" || message.from === "system") return;
    if (message.turn_id == null) return this.forgetLive();
    const turnId = message.turn_id;
    // A picture goes right before the words: it ends no typing and takes nothing from the draft.
    if (message.image) return;
    this.setTyping(false, turnId);
    const draft = this.draft?.turnId === turnId ? this.draft.text : "";
    const start = draft.indexOf(message.text.trim(), this.deliveredUpTo.get(turnId) ?? 0);
    this.deliveredUpTo.set(turnId, start < 0 ? Infinity : start + message.text.trim().length);
  }
}

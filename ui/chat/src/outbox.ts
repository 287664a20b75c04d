import { RequestError, type Api, type Message } from "./api";
import { alone, type LocalStore } from "./storage";

export interface Pending {
  idempotency_key: string;
  text: string;
  created_at: string;
  /** What the server said when it refused the text; empty while the message is still to be sent. */
  refusal: string;
}

const ITEM = "outbox.";
const LONGEST_WAIT_MS = 15_000;

/**
 * Messages that the server has not confirmed. Each is one stored item, so that two tabs never overwrite each other's;
 * a message keeps its key over reloads, tabs and retries, and the server stores a key once.
 */
export class Outbox {
  private isDraining = false;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: Api,
    private readonly store: LocalStore,
    private readonly lockName: string,
    private readonly onChange: () => void,
    private readonly onSent: (message: Message) => void,
    private readonly onRefused: (error: RequestError) => Promise<boolean>,
  ) {}

  list(): Pending[] {
    return this.store
      .names(ITEM)
      .map((name) => JSON.parse(this.store.get(name) ?? "null") as Pending | null)
      .filter((item): item is Pending => item !== null)
      .sort((a, b) => a.created_at.localeCompare(b.created_at) || a.idempotency_key.localeCompare(b.idempotency_key));
  }

  add(text: string): void {
    this.put({ idempotency_key: newKey(), text, created_at: new Date().toISOString(), refusal: "" });
    this.kick();
  }

  retry(key: string): void {
    const item = this.find(key);
    if (item) this.put({ ...item, refusal: "" });
    this.kick();
  }

  /** Confirmed by the server, or given up by the visitor. */
  remove(key: string): void {
    if (this.find(key) === null) return;
    this.store.remove(ITEM + key);
    this.onChange();
  }

  /** Starts sending now what waits: something was added, or the line is back. */
  kick(): void {
    clearTimeout(this.timer);
    this.attempt = 0;
    void this.drain();
  }

  private async drain(): Promise<void> {
    if (this.isDraining) return;
    this.isDraining = true;
    try {
      await alone(this.lockName, () => this.sendAll());
      this.attempt = 0;
    } catch (error) {
      const asked = error instanceof RequestError ? error.retryAfter * 1000 : 0;
      const wait = Math.max(asked, Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.attempt++) * (0.5 + Math.random() / 2));
      this.timer = setTimeout(() => void this.drain(), wait);
    } finally {
      this.isDraining = false;
      this.onChange();
    }
  }

  /** In the order of writing; a message that can't go yet holds back the ones after it. */
  private async sendAll(): Promise<void> {
    for (let item = this.next(); item; item = this.next()) {
      try {
        const message = await this.api.send(item.idempotency_key, item.text);
        this.store.remove(ITEM + item.idempotency_key);
        this.onSent(message);
      } catch (error) {
        if (!(error instanceof RequestError) || error.isTemporary) throw error;
        if (await this.onRefused(error)) continue;
        this.put({ ...item, refusal: error.message });
      }
    }
  }

  private next(): Pending | undefined {
    return this.list().find((item) => item.refusal === "");
  }

  private find(key: string): Pending | null {
    return JSON.parse(this.store.get(ITEM + key) ?? "null") as Pending | null;
  }

  private put(item: Pending): void {
    this.store.set(ITEM + item.idempotency_key, JSON.stringify(item));
    this.onChange();
  }
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

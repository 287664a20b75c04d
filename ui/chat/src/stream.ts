import { RequestError, type Api } from "./api";
import { EventReader, type ServerEvent } from "./sse";

export interface StreamListener {
  /** The newest position that is on screen: the stream goes on after it. */
  position(): number;
  opened(): void;
  received(event: ServerEvent): void;
  lost(): void;
  /** The server will not have this visitor or this channel; trying again is of no use. */
  refused(error: RequestError): void;
}

// The server's heartbeat comes every 15 s; two of them missing is a dead line.
const SILENCE_LIMIT_MS = 35_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
const STEADY_AFTER_MS = 5_000;

/** One long-lived line to the server that comes back by itself, after the last position it has seen. */
export class LiveStream {
  // Each start has its own number: a loop whose number is old ends at its next step.
  private generation = 0;
  private isRunning = false;
  private abort: AbortController | null = null;
  private attempt = 0;
  private lastByteAt = 0;
  private endPause: (() => void) | null = null;

  constructor(
    private readonly api: Api,
    private readonly listener: StreamListener,
  ) {}

  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    void this.run(++this.generation);
  }

  stop(): void {
    this.isRunning = false;
    this.generation++;
    this.abort?.abort();
    this.endPause?.();
  }

  /** Reconnects at once: the line, the page or the computer has just come back. */
  wake(): void {
    this.attempt = 0;
    if (this.endPause) this.endPause();
    else if (Date.now() - this.lastByteAt > SILENCE_LIMIT_MS / 2) this.abort?.abort();
  }

  /** Drops a line that can't be alive (the browser says that it is offline). */
  drop(): void {
    this.abort?.abort();
  }

  private async run(generation: number): Promise<void> {
    while (generation === this.generation) {
      let wait = 0;
      try {
        await this.follow();
      } catch (error) {
        if (error instanceof RequestError && generation === this.generation) {
          if (!error.isTemporary) {
            this.isRunning = false;
            return this.listener.refused(error);
          }
          wait = error.retryAfter * 1000;
        }
      }
      if (generation !== this.generation) return;
      this.listener.lost();
      await this.pause(Math.max(wait, this.backoff()));
    }
  }

  private async follow(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    const startedAt = Date.now();
    this.lastByteAt = startedAt;
    const watch = setInterval(() => {
      if (Date.now() - this.lastByteAt > SILENCE_LIMIT_MS) abort.abort();
    }, 1_000);
    try {
      const response = await this.api.stream(this.listener.position(), abort.signal);
      this.listener.opened();
      await this.read(response);
    } finally {
      clearInterval(watch);
      abort.abort();
      if (Date.now() - startedAt > STEADY_AFTER_MS) this.attempt = 0;
    }
  }

  private async read(response: Response): Promise<void> {
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    const events = new EventReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.lastByteAt = Date.now();
      for (const event of events.feed(decoder.decode(value, { stream: true }))) this.listener.received(event);
    }
  }

  /** Exponential with full jitter, so that a restarted server isn't met by all its visitors at once. */
  private backoff(): number {
    const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempt++);
    return ceiling / 4 + Math.random() * ceiling * 0.75;
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.endPause = null;
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.endPause = end;
    });
  }
}

import { Api, type Message, type RequestError, type Session } from "./api";
import { Composer } from "./composer";
import { Conversation } from "./conversation";
import { Log } from "./log";
import { Outbox } from "./outbox";
import { Screen } from "./screen";
import type { ServerEvent } from "./sse";
import type { LocalStore } from "./storage";
import { LiveStream, type StreamListener } from "./stream";
import { chooseLanguage } from "./texts";
import { layOut } from "./timeline";
import { Unread } from "./unread";

export interface ChatOptions {
  root: HTMLElement;
  key: string;
  title: string;
  isEmbedded: boolean;
  store: LocalStore;
}

const DEFAULT_LIMIT = 4000;
// A line that is back within this time was never worth a word.
const LOST_NOTICE_MS = 2_500;
const RETRY_LOAD_MS = 2_000;
// A typing sign that nobody took back: the worker behind it is gone.
const TYPING_LIMIT_MS = 120_000;

/** The whole chat: what comes from the line goes into the conversation, and every change is drawn from it. */
export class Chat implements StreamListener {
  private readonly choice = chooseLanguage(navigator.languages);
  private readonly texts = this.choice.texts;
  private readonly store: LocalStore;
  private readonly api: Api;
  private readonly conversation = new Conversation();
  private readonly stream: LiveStream;
  private readonly outbox: Outbox;
  private readonly composer: Composer;
  private readonly screen: Screen;
  private readonly log: Log;
  private readonly unread: Unread;
  private session: Session | null;
  private isLoaded = false;
  private isLoadingOlder = false;
  private isClosed = false;
  private lostTimer: ReturnType<typeof setTimeout> | undefined;
  private typingTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: ChatOptions) {
    document.documentElement.lang = this.choice.language;
    this.store = options.store;
    this.api = new Api(options.key, this.store);
    this.session = this.api.rememberedSession();
    this.stream = new LiveStream(this.api, this);
    const lock = `frontdesk.${options.key}.outbox`;
    const renew = (error: RequestError) => this.renew(error);
    this.outbox = new Outbox(this.api, this.store, lock, () => this.draw(), (message) => this.stored([message]), renew);
    const limit = this.session?.max_message_length ?? DEFAULT_LIMIT;
    this.composer = new Composer(this.texts, `frontdesk.${options.key}.typed`, (text) => this.say(text), limit);
    this.screen = new Screen(options.root, this.texts, this.composer.root, options.isEmbedded);
    this.log = new Log(this.screen.log, this.texts, this.actions(), this.choice.language);
    this.unread = new Unread(this.conversation, this.store, options.isEmbedded, () => this.screen.isAtEnd());
  }

  get closeButton(): HTMLElement {
    return this.screen.close;
  }

  start(): void {
    this.screen.introduce(this.session, this.options.title);
    this.screen.onScroll(() => this.scrolled());
    this.store.onForeignChange((name) => this.changedElsewhere(name));
    this.showLine();
    this.draw();
    void this.load();
  }

  focus(): void {
    this.composer.focus();
  }

  setPanelOpen(isOpen: boolean): void {
    this.unread.setPanelOpen(isOpen);
    this.draw();
  }

  /** The line, the page or the computer has come back. */
  wake(): void {
    this.showLine();
    this.stream.wake();
    if (this.isLoaded && !this.isClosed) {
      this.stream.start();
      this.outbox.kick();
    }
    this.draw();
  }

  /** Gives up the line while nobody looks; `wake` takes it up again. */
  rest(): void {
    this.stream.stop();
  }

  offline(): void {
    this.stream.drop();
    this.showLine();
    this.draw();
  }

  position(): number {
    return this.conversation.newest;
  }

  opened(): void {
    clearTimeout(this.lostTimer);
    this.lostTimer = undefined;
    this.conversation.forgetLive();
    this.showLine();
    this.outbox.kick();
    this.draw();
  }

  received(event: ServerEvent): void {
    const data = JSON.parse(event.data);
    if (event.name === "message") this.stored([data as Message]);
    else if (event.name === "typing") this.conversation.setTyping(data.on, data.turn_id);
    else if (event.name === "draft") this.conversation.setDraft(data.turn_id, data.seq, data.text);
    else if (event.name === "resync") this.conversation.forgetLive();
    else if (event.name === "draft.withdrawn") this.conversation.withdraw(data.turn_id);
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => {
      this.conversation.forgetLive();
      this.draw();
    }, TYPING_LIMIT_MS);
    this.draw();
  }

  lost(): void {
    this.lostTimer ??= setTimeout(() => this.screen.setBanner(this.texts.reconnecting, "lost"), LOST_NOTICE_MS);
    this.showLine();
  }

  refused(error: RequestError): void {
    void this.renew(error);
  }

  private actions() {
    return { retry: (key: string) => this.outbox.retry(key), discard: (key: string) => this.outbox.remove(key) };
  }

  private say(text: string): void {
    this.outbox.add(text);
    this.screen.toEnd();
  }

  private async load(): Promise<void> {
    try {
      this.session = await this.api.openSession();
      this.screen.introduce(this.session, this.options.title);
      this.composer.setLimit(this.session.max_message_length);
      const page = await this.api.messages(null);
      this.conversation.hasOlder = page.has_more;
      this.isLoaded = true;
      this.screen.quietly(() => this.stored(page.data));
      this.screen.toEnd();
      this.stream.start();
    } catch (error) {
      const status = (error as RequestError).status;
      if (status === 404 || status === 403) return this.end();
      this.lost();
      const wait = Math.max(RETRY_LOAD_MS, ((error as RequestError).retryAfter ?? 0) * 1000);
      setTimeout(() => void this.load(), wait);
    }
  }

  /** A token that the server no longer knows is given back and a new visitor begins. True when it was that. */
  private async renew(error: RequestError): Promise<boolean> {
    if (error.status === 404 || error.status === 403) this.end();
    if (error.status !== 401) return false;
    // Another tab may have begun anew already: only the token that was refused is given back.
    if (error.token === this.api.token) {
      this.store.remove("token");
      this.store.remove("seen");
      await this.api.openSession();
      this.restart();
    }
    return true;
  }

  private restart(): void {
    this.stream.stop();
    this.conversation.clear();
    this.draw();
    this.stream.start();
  }

  private end(): void {
    this.isClosed = true;
    this.stream.stop();
    this.options.root.classList.add("closed");
    this.screen.setBanner(this.texts.unavailable, "offline");
  }

  private stored(messages: Message[]): void {
    this.conversation.add(messages);
    for (const message of messages) if (message.idempotency_key) this.outbox.remove(message.idempotency_key);
    this.draw();
  }

  private async loadOlder(): Promise<void> {
    if (this.isLoadingOlder || !this.conversation.hasOlder || this.conversation.oldest === null) return;
    this.isLoadingOlder = true;
    this.screen.setLoadingOlder(true);
    try {
      const page = await this.api.messages(this.conversation.oldest);
      this.conversation.hasOlder = page.has_more;
      this.screen.setLoadingOlder(false);
      this.screen.quietly(() => this.screen.keepPlace(() => this.stored(page.data)));
    } catch {
      this.screen.setLoadingOlder(false);
    } finally {
      this.isLoadingOlder = false;
    }
  }

  private scrolled(): void {
    if (this.screen.isAtStart()) void this.loadOlder();
    this.screen.setPill(this.unread.update(this.title()));
  }

  private changedElsewhere(name: string): void {
    if (name === "token") this.restart();
    else this.draw();
  }

  private showLine(): void {
    if (this.isClosed) return;
    if (!navigator.onLine) this.screen.setBanner(this.texts.offline, "offline");
    else if (this.lostTimer === undefined) this.screen.setBanner("");
  }

  private title(): string {
    return this.session?.assistant_name ?? this.session?.organization_name ?? this.options.title;
  }

  private draw(): void {
    const follows = this.screen.isAtEnd();
    const rows = layOut(this.conversation, this.outbox.list());
    const name = this.title();
    this.log.draw(rows, name, !navigator.onLine);
    this.screen.setEmpty(rows.length === 0 && this.isLoaded);
    this.screen.setTyping(this.conversation.isTyping ? this.texts.typing(name) : "");
    if (follows) this.screen.toEnd();
    this.screen.setPill(this.unread.update(name));
  }
}

import type { Chat } from "./chat";
import type { LocalStore } from "./storage";

interface HostMessage {
  frontdesk?: "opened" | "closed";
  kept?: Record<string, string>;
}

/** The page around the frame: it opens and closes the panel, shows the dot, and keeps our items where we can't. */
export class Host {
  private chat: Chat | null = null;

  constructor(
    private readonly store: LocalStore,
    private readonly start: () => Chat,
  ) {}

  greet(): void {
    addEventListener("message", (event: MessageEvent<HostMessage>) => {
      if (event.source === parent && event.data?.frontdesk) this.hear(event.data, event.origin);
    });
    addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && this.tell("close"));
    // With a store of its own the chat need not wait for the host's answer.
    if (this.store.isPersistent) this.begin();
    this.tell("ready");
  }

  private hear(said: HostMessage, origin: string): void {
    if (!this.chat) {
      this.store.seed(said.kept ?? {});
      this.store.keep = (items) => parent.postMessage({ frontdesk: "keep", items }, origin);
    }
    const chat = this.chat ?? this.begin();
    chat.setPanelOpen(said.frontdesk === "opened");
    if (said.frontdesk === "opened") chat.focus();
  }

  private begin(): Chat {
    this.chat = this.start();
    this.chat.closeButton.addEventListener("click", () => this.tell("close"));
    return this.chat;
  }

  private tell(what: "close" | "ready"): void {
    parent.postMessage({ frontdesk: what }, "*");
  }
}

import type { Conversation } from "./conversation";
import type { LocalStore } from "./storage";

/** How many messages of the other side the visitor has not seen; shared by all tabs through the store. */
export class Unread {
  private isPanelOpen: boolean;
  private shown = -1;

  constructor(
    private readonly conversation: Conversation,
    private readonly store: LocalStore,
    private readonly isEmbedded: boolean,
    private readonly isAtEnd: () => boolean,
  ) {
    this.isPanelOpen = !isEmbedded;
  }

  setPanelOpen(isOpen: boolean): void {
    this.isPanelOpen = isOpen;
  }

  count(): number {
    const seen = Number(this.store.get("seen") ?? 0);
    return this.conversation.messages.filter((m) => m.from !== "visitor" && m.position > seen).length;
  }

  /** Notes what is seen now, then tells the tab's title and the page around the frame. */
  update(title: string): number {
    const isSeen = this.isPanelOpen && document.visibilityState === "visible" && this.isAtEnd();
    const newest = this.conversation.newest;
    if (isSeen && newest > Number(this.store.get("seen") ?? 0)) this.store.set("seen", String(newest));
    const count = this.count();
    document.title = count ? `(${count}) ${title}` : title;
    if (count !== this.shown && this.isEmbedded) parent.postMessage({ frontdesk: "unread", count }, "*");
    this.shown = count;
    return count;
  }
}

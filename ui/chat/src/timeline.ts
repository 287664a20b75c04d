import type { Message, Sender } from "./api";
import type { Conversation } from "./conversation";
import type { Pending } from "./outbox";

/** One row of the screen. The key keeps its node over redraws: a sent message keeps the node it was typed into. */
export type Row =
  | { kind: "day"; key: string; at: string }
  | { kind: "note"; key: string; text: string }
  | { kind: "typing"; key: string; isFirst: boolean }
  | {
      kind: "bubble";
      key: string;
      from: Exclude<Sender, "system">;
      name: string | null;
      text: string;
      image: string | null;
      at: string | null;
      isFirst: boolean;
      isLast: boolean;
      pending: Pending | null;
      isDraft: boolean;
    };

type Bubble = Extract<Row, { kind: "bubble" }>;

const GROUP_GAP_MS = 5 * 60_000;

/** Lays out stored messages, then what waits to be sent, then the draft or the typing sign. */
export function layOut(conversation: Conversation, outbox: Pending[]): Row[] {
  const rows: Row[] = [];
  const messages = conversation.messages;
  const confirmed = new Set(messages.map((message) => message.idempotency_key).filter(Boolean));
  for (const message of messages) addRow(rows, message.created_at, asRow(message));
  for (const item of outbox) {
    if (!confirmed.has(item.idempotency_key)) addRow(rows, item.created_at, pendingRow(item));
  }
  const draft = conversation.visibleDraft();
  if (draft) {
    addRow(rows, null, {
      ...bubble(`draft.${draft.turnId}`, "assistant", draft.text),
      isDraft: true,
    });
  } else if (conversation.isTyping) {
    rows.push({ kind: "typing", key: "typing", isFirst: !isBubbleOf(rows.at(-1), "assistant") });
  }
  return rows;
}

function asRow(message: Message): Row {
  const key = message.idempotency_key ?? `at.${message.position}`;
  if (message.from === "system") return { kind: "note", key, text: message.text };
  const image = message.image ?? null;
  return { ...bubble(key, message.from, message.text), image, name: message.name, at: message.created_at };
}

function pendingRow(item: Pending): Bubble {
  return { ...bubble(item.idempotency_key, "visitor", item.text), at: item.created_at, pending: item };
}

function bubble(key: string, from: Bubble["from"], text: string): Bubble {
  const plain = { name: null, image: null, at: null, isFirst: true, isLast: true, pending: null, isDraft: false };
  return { kind: "bubble", key, from, text, ...plain };
}

/** Adds the row, a line for a new day before it, and ties it to the bubble above when it goes on from it. */
function addRow(rows: Row[], at: string | null, row: Row): void {
  const above = rows.at(-1);
  const aboveAt = lastTime(rows);
  if (at !== null && (aboveAt === null || dayOf(aboveAt) !== dayOf(at))) {
    rows.push({ kind: "day", key: `day.${dayOf(at)}`, at });
  } else if (row.kind === "bubble" && above?.kind === "bubble" && goesOn(above, row)) {
    above.isLast = false;
    row.isFirst = false;
  }
  rows.push(row);
}

function goesOn(above: Bubble, row: Bubble): boolean {
  if (above.from !== row.from || above.pending?.refusal) return false;
  if (row.at === null || above.at === null) return true;
  return above.name === row.name && Date.parse(row.at) - Date.parse(above.at) < GROUP_GAP_MS;
}

function lastTime(rows: Row[]): string | null {
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index]!;
    if (row.kind === "day") return row.at;
    if (row.kind === "bubble" && row.at !== null) return row.at;
  }
  return null;
}

function dayOf(at: string): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

function isBubbleOf(row: Row | undefined, from: Sender): boolean {
  return row?.kind === "bubble" && row.from === from;
}

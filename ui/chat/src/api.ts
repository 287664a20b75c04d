import { alone, type LocalStore } from "./storage";

export type Sender = "visitor" | "assistant" | "person" | "system";

export interface Message {
  position: number;
  from: Sender;
  name: string | null;
  text: string;
  created_at: string;
  idempotency_key?: string | null;
  turn_id?: number | null;
  /** Where the picture of this message is; its text is what stands under it. */
  image?: string;
}

export interface Session {
  assistant_name: string | null;
  organization_name: string;
  channel_name: string;
  max_message_length: number;
  is_small_model: boolean;
}

export interface MessagePage {
  data: Message[];
  has_more: boolean;
}

/** An answer of the server that is not a success. `retryAfter` is in seconds. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter: number,
    readonly token: string | null,
  ) {
    super(message);
  }

  /** Worth trying again as it is: too many requests, or a server that is ill for the moment. */
  get isTemporary(): boolean {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

const REQUEST_LIMIT_MS = 20_000;

export class Api {
  constructor(
    private readonly key: string,
    private readonly store: LocalStore,
  ) {}

  get token(): string | null {
    return this.store.get("token");
  }

  /** Opens the visitor's session. One tab at a time, so that two new tabs become one visitor and not two. */
  openSession(): Promise<Session> {
    return alone(`frontdesk.${this.key}.session`, async () => {
      const response = await this.request("POST", "sessions", {});
      const body = (await response.json()) as { visitor_token?: string; session: Session };
      if (body.visitor_token) this.store.set("token", body.visitor_token);
      this.store.set("session", JSON.stringify(body.session));
      return body.session;
    });
  }

  /** The session as it was last time: lets the page draw itself before the server has answered. */
  rememberedSession(): Session | null {
    const text = this.store.get("session");
    return text ? (JSON.parse(text) as Session) : null;
  }

  async messages(before: number | null): Promise<MessagePage> {
    const query = before === null ? "limit=50" : `limit=50&before=${before}`;
    const response = await this.request("GET", `messages?${query}`);
    return (await response.json()) as MessagePage;
  }

  async send(idempotencyKey: string, text: string): Promise<Message> {
    const response = await this.request("POST", "messages", { idempotency_key: idempotencyKey, text });
    return (await response.json()) as Message;
  }

  async stream(after: number, signal: AbortSignal): Promise<Response> {
    return this.request("GET", `stream?after=${after}`, undefined, signal);
  }

  private async request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {};
    const token = this.token;
    if (token) headers["x-visitor-token"] = token;
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(`/webchat/${encodeURIComponent(this.key)}/${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal: signal ?? AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
    if (response.ok) return response;
    throw await asError(response, token);
  }
}

async function asError(response: Response, token: string | null): Promise<RequestError> {
  const body = (await response.json().catch(() => ({}))) as { message?: string };
  const wait = Number(response.headers.get("retry-after"));
  return new RequestError(response.status, body.message ?? response.statusText, Number.isFinite(wait) ? wait : 0, token);
}

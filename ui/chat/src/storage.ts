/**
 * localStorage under a prefix. A browser that denies it to a frame of another site gets memory; the page around the
 * frame can then keep the items for it (`seed` gives them back, `keep` is called with all of them at each change).
 */
export class LocalStore {
  keep: ((items: Record<string, string>) => void) | null = null;
  private readonly memory = new Map<string, string>();
  private readonly backing: Storage | null;

  constructor(private readonly prefix: string) {
    this.backing = openLocalStorage();
  }

  get isPersistent(): boolean {
    return this.backing !== null;
  }

  seed(items: Record<string, string>): void {
    for (const [name, value] of Object.entries(items)) this.memory.set(name, value);
  }

  get(name: string): string | null {
    return this.backing ? this.backing.getItem(this.prefix + name) : (this.memory.get(name) ?? null);
  }

  set(name: string, value: string): void {
    try {
      if (this.backing) return this.backing.setItem(this.prefix + name, value);
    } catch {
      // A full store: memory keeps it for the life of this tab.
    }
    this.memory.set(name, value);
    this.keep?.(Object.fromEntries(this.memory));
  }

  remove(name: string): void {
    this.backing?.removeItem(this.prefix + name);
    if (this.memory.delete(name)) this.keep?.(Object.fromEntries(this.memory));
  }

  names(start: string): string[] {
    const full = this.prefix + start;
    const stored = this.backing ? Object.keys(this.backing).filter((name) => name.startsWith(full)) : [];
    const kept = [...this.memory.keys()].filter((name) => name.startsWith(start));
    return [...stored.map((name) => name.slice(this.prefix.length)), ...kept];
  }

  /** Calls back with the name of each item that another tab changed. */
  onForeignChange(callback: (name: string) => void): void {
    addEventListener("storage", (event) => {
      if (event.key?.startsWith(this.prefix)) callback(event.key.slice(this.prefix.length));
    });
  }
}

function openLocalStorage(): Storage | null {
  try {
    localStorage.setItem("frontdesk.probe", "1");
    localStorage.removeItem("frontdesk.probe");
    return localStorage;
  } catch {
    return null;
  }
}

/** Runs the work in one tab at a time; without the Web Locks API the server's idempotency alone has to do. */
export async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  let isStarted = false;
  const run = async (): Promise<T> => {
    isStarted = true;
    return await work();
  };
  if (!navigator.locks) return await run();
  try {
    return (await navigator.locks.request(name, run)) as T;
  } catch (error) {
    // Locks are denied wherever storage is.
    if (isStarted) throw error;
    return await run();
  }
}

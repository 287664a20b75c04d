export interface ServerEvent {
  name: string;
  data: string;
}

/** Reads a text/event-stream as it comes in, in whatever pieces the network cuts it. */
export class EventReader {
  private rest = "";
  private name = "";
  private data: string[] = [];

  *feed(chunk: string): Generator<ServerEvent> {
    const lines = (this.rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.data.length) yield { name: this.name || "message", data: this.data.join("\n") };
        this.name = "";
        this.data = [];
      } else if (line.startsWith("event:")) {
        this.name = line.slice(6).trim();
      } else if (line.startsWith("data:")) {
        this.data.push(line.slice(5).replace(/^ /, ""));
      }
    }
  }
}

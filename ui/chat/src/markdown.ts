import { element } from "./dom";

// One alternative a kind: code, bold, italic, [text](address), bare address, e-mail address.
const INLINE =
  /`([^`\n]+)`|\*\*([^*\n]+(?:\*(?!\*)[^*\n]+)*)\*\*|(?<![\w*])\*([^*\s][^*\n]*)\*(?![\w*])|\[([^\]\n]+)\]\(((?:[^\s()]|\([^\s()]*\))+)\)|(https?:\/\/[^\s<>"'`]+)|([\w.+-]+@[\w-]+(?:\.[\w-]+)+)/g;
const ITEM = /^\s*(?:([-*•])|(\d{1,3})[.)])\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const FENCE = /^\s*```/;
const SAFE_SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);

/** A message's text as DOM: paragraphs, bold, italic, lists, code and links; all else is plain text. */
export function renderMarkdown(text: string): DocumentFragment {
  const out = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    if (FENCE.test(line)) at = codeBlock(out, lines, at);
    else if (ITEM.test(line)) at = list(out, lines, at);
    else if (line.trim() === "") at++;
    else at = paragraph(out, lines, at);
  }
  return out;
}

/** A visitor's own words: as typed, only addresses become links. */
export function renderPlain(text: string): DocumentFragment {
  const out = document.createDocumentFragment();
  const paragraph = element("p");
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`]+/g)) {
    const [address] = splitTrailing(match[0]);
    paragraph.append(text.slice(end, match.index), link(address, [address]));
    end = match.index + address.length;
  }
  paragraph.append(text.slice(end));
  out.append(paragraph);
  return out;
}

function paragraph(out: DocumentFragment, lines: string[], at: number): number {
  const node = element("p");
  for (; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.trim() === "" || FENCE.test(line) || ITEM.test(line)) break;
    if (node.hasChildNodes()) node.append(element("br"));
    const heading = HEADING.exec(line);
    node.append(...(heading ? [element("strong", {}, ...inline(heading[1]!))] : inline(line)));
  }
  out.append(node);
  return at;
}

function list(out: DocumentFragment, lines: string[], at: number): number {
  const first = ITEM.exec(lines[at]!)!;
  const isNumbered = first[2] !== undefined;
  const node = isNumbered ? element("ol", { start: first[2]! }) : element("ul");
  for (; at < lines.length; at++) {
    const item = ITEM.exec(lines[at]!);
    const last = node.lastElementChild;
    if (item && (item[2] !== undefined) === isNumbered) node.append(element("li", {}, ...inline(item[3]!)));
    else if (!item && last && /^\s{2,}\S/.test(lines[at]!)) last.append(element("br"), ...inline(lines[at]!.trim()));
    else if (lines[at]!.trim() === "" && ITEM.test(lines[at + 1] ?? "")) continue;
    else break;
  }
  out.append(node);
  return at;
}

function codeBlock(out: DocumentFragment, lines: string[], at: number): number {
  let end = at + 1;
  while (end < lines.length && !FENCE.test(lines[end]!)) end++;
  // A block can be wider than the bubble: it scrolls, so the keyboard must be able to reach it.
  out.append(element("pre", { tabindex: "0" }, element("code", {}, lines.slice(at + 1, end).join("\n"))));
  return end + 1;
}

function inline(text: string): (Node | string)[] {
  const nodes: (Node | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, bold, italic, label, target, address, email] = match;
    let used = whole;
    let node: Node | null = null;
    if (code !== undefined) node = element("code", {}, code);
    else if (bold !== undefined) node = element("strong", {}, ...inline(bold));
    else if (italic !== undefined) node = element("em", {}, ...inline(italic));
    else if (label !== undefined) node = link(target!, inline(label));
    else if (email !== undefined) node = link(`mailto:${email}`, [email]);
    else if (address !== undefined) {
      [used] = splitTrailing(address);
      node = link(used, [used]);
    }
    nodes.push(text.slice(end, match.index), node ?? whole);
    end = match.index + used.length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

/** Punctuation at the end of a bare address belongs to the sentence, and so does an unopened bracket. */
function splitTrailing(address: string): [string, string] {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1]!;
    const isLoneBracket = last === ")" && !address.slice(0, end).includes("(");
    if (!".,;:!?*_]".includes(last) && !isLoneBracket) break;
    end--;
  }
  return [address.slice(0, end), address.slice(end)];
}

/** A picture that opens whole when it is clicked. One that cannot be loaded becomes a plain link to it. */
export function renderPicture(address: string, description: string): Node {
  if (!isSafe(address)) return element("p", {}, address);
  const image = element("img", { src: address, alt: description, loading: "lazy", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(address), { once: true });
  const node = link(address, [image]);
  if (node instanceof Element) node.classList.add("picture");
  return node;
}

function link(address: string, children: (Node | string)[]): Node {
  if (!isSafe(address)) return element("span", {}, ...children);
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

function isSafe(address: string): boolean {
  try {
    return SAFE_SCHEMES.has(new URL(address).protocol);
  } catch {
    return false;
  }
}

/** Words as ENV, ARG, LABEL and COPY split them: at white space outside of quotes, which are taken off. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let open = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\\" && quote !== "'" && at + 1 < text.length) {
      word += text[++at] ?? "";
      open = true;
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      open = true;
    } else if (/\s/.test(character)) {
      if (open) words.push(word);
      [word, open] = ["", false];
    } else {
      word += character;
      open = true;
    }
  }
  if (open) words.push(word);
  return words;
}

/** `A=1 B="2 3"`, and the old form `A 1`, which sets one. */
export function assignments(text: string): { name: string; value: string }[] {
  const old = /^([\w.-]+)\s+(.*)$/s.exec(text);
  if (old && !/^\S*=/.test(text)) return [{ name: old[1] ?? "", value: old[2]?.trim() ?? "" }];
  return splitWords(text).map((word) => {
    const at = word.indexOf("=");
    return at < 0 ? { name: word, value: "" } : { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}

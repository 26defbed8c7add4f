/** Prepares foreign text for one line of output: without line breaks and control characters of a terminal. */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ')
}

/** Text of others for a line of ours: without line breaks, or anything that a terminal would take for an order. */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ')
}

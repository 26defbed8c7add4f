/** A URL for a message: its password, if it has one, is three dots. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z\d+.-]*:\/\/[^/?#@:]*):[^@]*@/i, '$1:…@')
}

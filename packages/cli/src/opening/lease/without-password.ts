/** A URL for a message, with dots instead of its password. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z\d+.-]*:\/\/[^/?#@:]*):[^@]*@/i, '$1:…@')
}

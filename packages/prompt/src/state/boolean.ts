const words = ['true', 'false', 'yes', 'no'] as const

/** The meaning of psql's words for a switch: `on`, `off`, `1`, `0`, and beginnings of `true`, `false`, `yes`, `no`; `null` for others. */
export function booleanOf(word: string): boolean | null {
  const text = word.toLowerCase()
  if (text === '') return null
  if (text === '1' || text === 'on') return true
  if (text === '0' || text === 'off' || text === 'of') return false
  const found = words.find((one) => one.startsWith(text))
  return found === undefined ? null : found === 'true' || found === 'yes'
}

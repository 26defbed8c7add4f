/** A use of a variable in SQL or in a command's argument. */
export interface Reference {
  readonly name: string
  /** As it is, as a literal, as an identifier, or whether it is set. */
  readonly form: 'value' | 'literal' | 'identifier' | 'test'
  /** The position after it. */
  readonly end: number
}

const forms: readonly (readonly [Reference['form'], RegExp])[] = [
  ['test', /:\{\?([\p{L}\p{N}_]+)\}/uy],
  ['literal', /:'([\p{L}\p{N}_]+)'/uy],
  ['identifier', /:"([\p{L}\p{N}_]+)"/uy],
  ['value', /:([\p{L}\p{N}_]+)/uy],
]

/** The reference that begins at a colon; `null` if none does. */
export function referenceAt(text: string, position: number): Reference | null {
  for (const [form, pattern] of forms) {
    pattern.lastIndex = position
    const name = pattern.exec(text)?.[1]
    if (name !== undefined) return { name, form, end: pattern.lastIndex }
  }
  return null
}

/** The text that takes the place of a reference; `null` if the variable is not set, and the reference stays. */
export function resolve(
  { name, form }: Reference,
  lookUp: (name: string) => string | undefined,
  quote: { literal(value: string): string; identifier(value: string): string },
): string | null {
  const value = lookUp(name)
  if (form === 'test') return value === undefined ? 'FALSE' : 'TRUE'
  if (value === undefined) return null
  return form === 'value' ? value : quote[form](value)
}

const token = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g

/** An object or an array around the current place. */
interface Around {
  /** The key or the index of the current member. */
  key: string
  readonly isArray: boolean
}

/**
 * The line, from 1 on, of the member of a JSON text to which a path of keys and indexes leads. Of members with the same key
 * the last counts, as for `JSON.parse`. For a path that leads nowhere it is 1.
 */
export function lineInJson(text: string, path: readonly string[]): number {
  const wanted = JSON.stringify(path)
  const around: Around[] = []
  let found = 0
  const look = (index: number) => {
    if (JSON.stringify(around.map(({ key }) => key)) === wanted) found = index
  }
  for (const match of text.matchAll(token)) {
    const [word] = match
    const inner = around.at(-1)
    if (word === '}' || word === ']') around.pop()
    else if (word === ',') {
      if (inner?.isArray === true) inner.key = String(Number(inner.key) + 1)
    } else if (word !== ':') {
      const isKey = inner?.isArray === false && /^\s*:/.test(text.slice(match.index + word.length))
      if (isKey) inner.key = JSON.parse(word) as string
      if (isKey || inner?.isArray === true) look(match.index)
      if (word === '{' || word === '[') around.push({ key: '0', isArray: word === '[' })
    }
  }
  return lineAt(text, found)
}

/** The line, from 1 on, of a position in a text. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}

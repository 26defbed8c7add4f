import { errno } from '@howdah/durable'

/** The fields of a server's error besides its message. */
const details = [
  ['detail', 'DETAIL'],
  ['hint', 'HINT'],
  ['where', 'CONTEXT'],
] as const

/** How an error is described. */
export interface Description {
  /** The name of the program, with which the description begins. */
  readonly program: string
  /** Whether the stacks of the error and its causes follow; `false` by default. */
  readonly stack?: boolean | undefined
  /** Said below an error that comes from a mistake in the program, such as how to see its stack. */
  readonly hint?: string | undefined
}

/** An error as words for people: one line, such as "program: what happened; what to do", and details below, indented. */
export function describeError(error: unknown, { program, stack, hint }: Description): string {
  if (!(error instanceof Error)) return `${program}: ${String(error)}`
  const lines = [`${program}: ${messageOf(error)}`]
  for (const [field, label] of details) {
    const value = (error as Partial<Record<typeof field, unknown>>)[field]
    if (typeof value === 'string' && value !== '') lines.push(indent(`${label}: ${value}`))
  }
  const companion = (error as { suppressed?: unknown }).suppressed
  if (companion instanceof Error) lines.push(indent(`and then: ${messageOf(companion)}`))
  if (stack === true) lines.push(indent(stackOf(error)))
  else if (hint !== undefined && isUnforeseen(error)) lines.push(indent(hint))
  return lines.join('\n')
}

/**
 * An error as one line of JSON: `{ "error": { "code", "message", "status" } }`, of an error of a server with `detail`, `hint`
 * and `where` if it has them. The code is `null` if the error has none.
 */
export function errorAsJson(error: unknown, status: number): string {
  const more = details.flatMap(([field]) => {
    const value = (error as Partial<Record<typeof field, unknown>> | null)?.[field]
    return typeof value === 'string' && value !== '' ? [[field, value]] : []
  })
  const message = error instanceof Error ? messageOf(error) : String(error)
  const described = { code: errno(error) || null, message, status }
  return JSON.stringify({ error: { ...described, ...Object.fromEntries(more) } })
}

function messageOf(error: Error): string {
  // Several addresses failed; the message is made of their errors.
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ')
  }
  return error.message === '' ? error.name : error.message
}

/** Whether the error comes from a mistake in the program. */
function isUnforeseen(error: Error): boolean {
  return errno(error) === '' && /^(?:Type|Reference|Range|Syntax)Error$/.test(error.name)
}

function stackOf(error: Error): string {
  const own = error.stack ?? String(error)
  return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}

/** A node of the published JSON schema, with the keywords that {@link faultOf} knows. */
export interface Schema {
  readonly $ref?: string
  /** In messages, what the value should be. */
  readonly title?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: false | Schema
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly minLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minProperties?: number
  readonly maxProperties?: number
}

/** The schema, with the definitions that its parts refer to. */
export interface RootSchema extends Schema {
  readonly definitions: Readonly<Record<string, Schema>>
}

/** What is wrong with a document. */
export interface Fault {
  /** The keys and indexes that lead to the place. */
  readonly path: readonly string[]
  /** What the value should be; `null` if its key is unknown. */
  readonly expected: string | null
  /** The keys that are known there, if the key is unknown. */
  readonly known: readonly string[]
}

/** The first fault of a value by a schema; `null` if there is none. */
export function faultOf(
  value: unknown,
  schema: Schema,
  root: RootSchema,
  path: readonly string[] = [],
): Fault | null {
  const node = resolve(schema, root)
  if (node.anyOf !== undefined) return faultOfAny(value, node, root, path)
  if (!isOfType(value, node)) return misfit(node, root, path)
  // An unknown key says more than that another one is missing.
  const inner =
    typeof value === 'object' && value !== null ? faultIn(value, node, root, path) : null
  return inner ?? (isWithin(value, node) ? null : misfit(node, root, path))
}

/** The first fault of a member of an object or an array. */
function faultIn(
  value: object,
  { items, properties = {}, additionalProperties }: Schema,
  root: RootSchema,
  path: readonly string[],
): Fault | null {
  for (const [key, member] of Object.entries(value)) {
    const place = [...path, key]
    const own = Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    const part = Array.isArray(value) ? items : own
    const fault =
      part === false
        ? { path: place, expected: null, known: Object.keys(properties) }
        : faultOf(member, part ?? {}, root, place)
    if (fault !== null) return fault
  }
  return null
}

function faultOfAny(
  value: unknown,
  node: Schema,
  root: RootSchema,
  path: readonly string[],
): Fault | null {
  const faults = (node.anyOf ?? []).map((one) => faultOf(value, one, root, path))
  if (faults.includes(null)) return null
  // An alternative that fits but for one of its parts says best what is wrong.
  const inner = faults.filter((fault) => fault !== null && fault.path.length > path.length)
  return inner.length === 1 ? (inner[0] ?? null) : misfit(node, root, path)
}

function misfit(node: Schema, root: RootSchema, path: readonly string[]): Fault {
  return { path, expected: describe(node, root), known: [] }
}

/** What a value should be, in words. */
function describe(schema: Schema, root: RootSchema): string {
  const node = resolve(schema, root)
  if (node.title !== undefined) return node.title
  if (node.enum !== undefined) return listed(node.enum.map((one) => JSON.stringify(one)))
  if (node.anyOf !== undefined) return listed(node.anyOf.map((one) => describe(one, root)))
  if (node.type === 'boolean') return 'true or false'
  return `${/^[aio]/.test(node.type ?? '') ? 'an' : 'a'} ${node.type}`
}

/** Words as "a, b or c". */
function listed(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)]
    .filter((one) => one !== '')
    .join(' or ')
}

/** The node itself, with what its `$ref` refers to. */
function resolve(schema: Schema, root: RootSchema): Schema {
  const [, name = ''] = /^#\/definitions\/(\w+)$/.exec(schema.$ref ?? '') ?? []
  return { ...root.definitions[name], ...schema }
}

function isOfType(value: unknown, { type }: Schema): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return type === undefined || typeof value === type
}

function isWithin(value: unknown, node: Schema): boolean {
  const { minimum = -Infinity, maximum = Infinity, minLength = 0, pattern, minItems = 0 } = node
  if (node.enum !== undefined) return node.enum.includes(value)
  if (typeof value === 'number') return value >= minimum && value <= maximum
  if (typeof value === 'string')
    return (
      value.length >= minLength && (pattern === undefined || new RegExp(pattern, 'u').test(value))
    )
  if (Array.isArray(value)) return value.length >= minItems
  if (typeof value !== 'object' || value === null) return true
  const { minProperties = 0, maxProperties = Infinity, required = [] } = node
  const count = Object.keys(value).length
  return (
    count >= minProperties &&
    count <= maxProperties &&
    required.every((key) => Object.hasOwn(value, key))
  )
}

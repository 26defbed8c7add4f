import { createHash } from 'node:crypto'

/** A page's data by a rule: `b:XX` a byte repeated, `t:TEXT` a text repeated, `s:SEED` incompressible. */
export function pageData(rule: string, size: number): Buffer {
  const text = rule.slice(2)
  if (rule.startsWith('b:')) return Buffer.alloc(size, Number.parseInt(text, 16))
  if (rule.startsWith('t:')) return Buffer.alloc(size, text)
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, n) =>
    createHash('sha256').update(`${text}:${n}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, size)
}

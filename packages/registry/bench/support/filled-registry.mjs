// Registries with many allocations.
import { join } from 'node:path'
import { Registry, write } from '@howdah/registry'
import { LockedDocument } from '@howdah/store'

/** A registry with so many allocations: to register 10,000 one after the other would take minutes. */
export async function filledRegistry(directory, size, durable) {
  const registry = new Registry({ path: join(directory, 'registry.json'), durable })
  const { allocation } = await registry.register('template', { allow: [write('/bench/template')] })
  const allocations = Array.from({ length: size }, (_, n) =>
    Object.assign({}, allocation, { name: `old-${n}`, allow: [write(`/bench/${n}`)] }),
  )
  const document = new LockedDocument(registry.path, { empty: () => ({}) })
  await document.update((table) => Object.assign(table, { allocations }))
  const { length } = await registry.list()
  if (length !== size) throw new Error(`${length} allocations instead of ${size}`)
  return registry
}

/** Registers and releases the n-th of further allocations. */
export async function registerAndRelease(registry, n) {
  const guard = await registry.register(`new-${n}`, { allow: [write(`/bench/new-${n}`)] })
  await guard.release()
}

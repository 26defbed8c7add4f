import type { Leaser } from '../src/index.ts'

/** The leaser with some methods replaced. */
export function wrapLeaser(inner: Leaser, methods: Partial<Leaser>): Leaser {
  const { type, place, ttl, maxTtl, clockSkew } = inner
  return {
    type,
    place,
    ttl,
    maxTtl,
    clockSkew,
    acquire: (request) => inner.acquire(request),
    renew: (lease, request) => inner.renew(lease, request),
    release: (lease, request) => inner.release(lease, request),
    inspect: (request) => inner.inspect(request),
    reset: (request) => inner.reset(request),
    ...methods,
  }
}

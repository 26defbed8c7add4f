import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How far up the calls are followed: a test runner has some dozens of them below a test. */
const deepest = 100

/**
 * The paths of the modules that have called, the nearest first, each once. Callers that await a call count, too, since V8
 * keeps them in its stack traces; calls without `await` are where the trace ends.
 *
 * Source: https://v8.dev/docs/stack-trace-api.
 */
export function callingModules(): string[] {
  const before = { ...Error }
  try {
    Error.stackTraceLimit = deepest
    Error.prepareStackTrace = (_error, sites) => sites
    const holder: { stack?: unknown } = {}
    Error.captureStackTrace(holder, callingModules)
    const sites = Array.isArray(holder.stack) ? (holder.stack as NodeJS.CallSite[]) : []
    const paths = sites.map((site) => pathOf(site.getFileName())).filter((path) => path !== null)
    return [...new Set(paths)]
  } finally {
    Object.assign(Error, { prepareStackTrace: undefined }, before)
  }
}

function pathOf(name: string | null | undefined): string | null {
  if (typeof name !== 'string') return null
  try {
    // Loaders may add a query to it.
    const path = name.startsWith('file:') ? fileURLToPath(new URL(name)) : name
    return isAbsolute(path) ? path : null
  } catch {
    return null
  }
}

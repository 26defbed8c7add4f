import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The largest number of calls to follow. A test runner has some dozens of calls below a test. */
const deepest = 100

/**
 * The paths of the calling modules, the nearest first, each once. V8's stack traces also contain callers that await a call;
 * the trace ends at a call without `await`.
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
    // Loaders may add a query to the URL.
    const path = name.startsWith('file:') ? fileURLToPath(new URL(name)) : name
    return isAbsolute(path) ? path : null
  } catch {
    return null
  }
}

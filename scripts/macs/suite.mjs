// `suite.mjs TEST-FILE… [OPTIONS OF VITEST]`: runs tests inside the double of a Mac, which is made of Linux's namespaces. Needs root, and
// the built packages.
import { testsOnMacDouble, whyNoMacDouble } from '../../packages/fixtures/dist/index.js'
import { newest } from '../../packages/postgres-fixtures/dist/index.js'

const why = whyNoMacDouble()
if (why !== null) throw new Error(why)
const { bindir } = await newest.strategy.fallback()
const { status } = await testsOnMacDouble(process.argv.slice(2), bindir, {
  tell: (text) => process.stdout.write(text),
})
process.exitCode = typeof status === 'number' ? status : 1

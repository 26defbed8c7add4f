import { TemplateCache } from '@howdah/cluster'
import type { Check } from '../check.ts'

/** Templates that are no longer used, and an unusable cache of templates. */
export const templates: Check = {
  name: 'templates',
  async examine({ wholeMachine }) {
    if (!wholeMachine) return []
    const all = (await (await TemplateCache.existing())?.list()) ?? []
    return all
      .filter(({ stale }) => stale)
      .map(({ path, version, size }) => ({
        severity: 'notice',
        subject: { path, version },
        what: `${path} (${size} bytes) is a template of PostgreSQL ${version} that is of no use any more`,
        cure: 'it goes when the next one is made, or with all the others: howdah doctor --clear-templates',
      }))
  },
}

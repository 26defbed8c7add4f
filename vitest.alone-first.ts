import { readFileSync } from 'node:fs'
import type { Plugin } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Runs the test files of each package that want a process of their own before the others. One in between ends a process that the others share. */
class AloneFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array
    const sorted = await super.sort(files)
    const projects = [...new Set(sorted.map(({ project }) => project))]
    return projects.flatMap((project) => {
      const its = sorted.filter((file) => file.project === project)
      return its.filter(isAlone).concat(its.filter((file) => !isAlone(file)))
    })
  }
}

function isAlone({ moduleId }: TestSpecification): boolean {
  return readFileSync(moduleId, 'utf8').startsWith('// @vitest-environment-options')
}

/** Orders test files by `AloneFirst`, unless another order was asked for, such as `--sequence.shuffle.files`. */
export const aloneFirst: Plugin = {
  name: 'tests-alone-first',
  configureVitest({ vitest }) {
    const { sequence } = vitest.config
    if (sequence.sequencer === BaseSequencer) sequence.sequencer = AloneFirst
  },
}

import { readFileSync } from 'node:fs'
import type { Plugin } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Orders test files by what their first lines say. The files of a package that want a process of their own run before its others:
 * one in between ends a process that the others share. The files that mostly wait are spread over the whole run, because
 * several of them at a time leave the machine idle.
 */
class ByFirstLine extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array
    const sorted = await super.sort(files)
    const waiting = sorted.filter((file) => begins(file, '// Mostly waits'))
    const working = sorted.filter((file) => !waiting.includes(file))
    const projects = [...new Set(working.map(({ project }) => project))]
    return spread(
      waiting,
      projects.flatMap((project) => {
        const its = working.filter((file) => file.project === project)
        const isAlone = (file: TestSpecification) => begins(file, '// @vitest-environment-options')
        return its.filter(isAlone).concat(its.filter((file) => !isAlone(file)))
      }),
    )
  }
}

function begins({ moduleId }: TestSpecification, words: string): boolean {
  return readFileSync(moduleId, 'utf8').startsWith(words)
}

/** The others with these in between, at equal distances; the first of these comes first. */
function spread<T>(these: readonly T[], others: readonly T[]): T[] {
  const distance = Math.ceil(others.length / these.length)
  return these
    .flatMap((one, index) => [one, ...others.slice(index * distance, (index + 1) * distance)])
    .concat(these.length === 0 ? others : [])
}

/** Orders test files by their first lines, unless another order was asked for, such as `--sequence.shuffle.files`. */
export const byFirstLine: Plugin = {
  name: 'tests-by-first-line',
  configureVitest({ vitest }) {
    const { sequence } = vitest.config
    if (sequence.sequencer === BaseSequencer) sequence.sequencer = ByFirstLine
  },
}

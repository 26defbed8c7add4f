import type { StandardSchemaV1 } from '../../src/index.ts'

/** A schema for `{ n: number }`, and the values that it has validated. */
export function numberSchema(
  onValidate: () => void = () => undefined,
): StandardSchemaV1<{ n: number }> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        onValidate()
        const right =
          typeof value === 'object' && value !== null && 'n' in value && typeof value.n === 'number'
        return right
          ? { value: { n: Number(value.n) } }
          : { issues: [{ message: 'is not a number', path: ['n'] }] }
      },
    },
  }
}

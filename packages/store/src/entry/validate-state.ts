import { invalidState, type Failure } from '../errors.ts'
import type { StandardSchemaV1 } from '../standard-schema.ts'

/** Validates a value by a schema, and gives the schema's result. Rejects with `ERR_STORE_INVALID_STATE`. */
export async function validateState<State>(
  schema: StandardSchemaV1<unknown, State> | undefined,
  value: unknown,
  failure: Failure,
): Promise<State> {
  // Without a schema the caller is responsible for the type.
  if (schema === undefined) return value as State
  const result = await schema['~standard'].validate(value)
  if (result.issues) throw invalidState(failure, result.issues)
  return result.value
}

// What we use of Jest's own environment, so that its types need not be installed.
declare module 'jest-environment-node' {
  export class TestEnvironment {
    constructor(configuration: object, context: object)
    readonly global: { process: NodeJS.Process }
    setup(): Promise<void>
    teardown(): Promise<void>
  }
}

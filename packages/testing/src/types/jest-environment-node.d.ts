// The part of Jest's environment that we use, so that its types need not be installed.
declare module 'jest-environment-node' {
  export class TestEnvironment {
    constructor(configuration: object, context: object)
    readonly global: { process: NodeJS.Process }
    setup(): Promise<void>
    teardown(): Promise<void>
  }
}

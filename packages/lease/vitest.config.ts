import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.together.ts'

export default mergeConfig(base, {
  test: {
    // Else every process that loads the AWS SDK says when it will stop to support Node 20.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
})

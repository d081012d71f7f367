// ioredis: writes to the primary that Sentinels name, and goes on when that is another one.
const Redis = require('ioredis')

const sentinels = process.argv.slice(2).map((port) => ({ host: '127.0.0.1', port: Number(port) }))
const client = new Redis({ sentinels, name: 'mymaster', sentinelRetryStrategy: () => 50, retryStrategy: () => 50 })
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
client.on('error', () => {})

async function run() {
  const end = Date.now() + 60000
  let first = null
  while (Date.now() < end) {
    try {
      await client.incr('written')
      const port = /tcp_port:(\d+)/.exec(await client.info('server'))[1]
      if (port !== first) {
        console.log(`writes to ${port}`)
        if (first !== null) {
          console.log('done')
          process.exit(0)
        }
        first = port
      }
    } catch {
      // As a program does that has nothing else to do: it tries again.
      await pause(50)
    }
    await pause(5)
  }
  console.error('the primary has not changed')
  process.exit(1)
}

run()

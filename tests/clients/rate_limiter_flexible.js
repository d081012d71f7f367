// rate-limiter-flexible: a limiter over ioredis, blocks, penalties, bursts, queues, unions.
const Redis = require('ioredis')
const { RateLimiterRedis, BurstyRateLimiter, RateLimiterUnion } = require('rate-limiter-flexible')
const { connection, step, run } = require('./steps')

const shown = ({ remainingPoints, consumedPoints, isFirstInDuration, msBeforeNext }) =>
  ({ remainingPoints, consumedPoints, isFirstInDuration, soon: msBeforeNext > 0 })
const tried = promise => promise.then(shown, error => (error instanceof Error ? error.message : { refused: shown(error) }))

run(async () => {
  const storeClient = new Redis(connection)
  await storeClient.flushall()
  const limiter = new RateLimiterRedis({ storeClient, points: 3, duration: 100, keyPrefix: 'l' })
  for (let at = 0; at < 5; at++) step(`consume ${at}`, await tried(limiter.consume('me')))
  step('get', shown(await limiter.get('me')))
  step('none', await limiter.get('nobody'))
  step('penalty', shown(await limiter.penalty('me', 2)))
  step('reward', shown(await limiter.reward('me', 4)))
  step('set', shown(await limiter.set('you', 2, 50)))
  step('you', await tried(limiter.consume('you', 2)))
  step('deleted', [await limiter.delete('you'), await limiter.delete('you')])
  const blocking = new RateLimiterRedis({ storeClient, points: 1, duration: 100, blockDuration: 300, keyPrefix: 'b' })
  for (let at = 0; at < 3; at++) step(`block ${at}`, await tried(blocking.consume('me')))
  step('ttl', (await storeClient.ttl('b:me')) > 100)
  const bursty = new BurstyRateLimiter(
    new RateLimiterRedis({ storeClient, points: 1, duration: 100, keyPrefix: 'n' }),
    new RateLimiterRedis({ storeClient, points: 2, duration: 100, keyPrefix: 'x' }))
  for (let at = 0; at < 4; at++) step(`bursty ${at}`, await bursty.consume('me').then(() => true, () => false))
  const union = new RateLimiterUnion(limiter, blocking)
  step('union', await union.consume('they').then(all => Object.keys(all).sort(), error => Object.keys(error)))
  storeClient.disconnect()
})

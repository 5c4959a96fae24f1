/** Lua 5.1, as Redis has it: runs the text of our scripts. */

import { Lua } from 'wasmoon-lua5.1'

/** What a command answers. `null`: nothing. */
export type Reply = string | number | null | ReplyStatus | ReplyError | readonly Reply[]

/** `OK` and its like. */
export class ReplyStatus {
  readonly ok: string
  constructor(ok: string) {
    this.ok = ok
  }
}

export class ReplyError {
  readonly err: string
  constructor(err: string) {
    this.err = err
  }
}

type Call = (args: readonly string[]) => Reply

/** The functions of Lua's C interface that are used. */
interface LuaModule {
  addFunction(run: (state: number) => number, signature: string): number
  stringToNewUTF8(text: string): number
  UTF8ToString(pointer: number): string
  _free(pointer: number): void
  _luaL_loadstring(state: number, text: number): number
  _luaL_ref(state: number, table: number): number
  _lua_call(state: number, args: number, results: number): void
  _lua_createtable(state: number, items: number, fields: number): void
  _lua_gettop(state: number): number
  _lua_objlen(state: number, index: number): number
  _lua_pcall(state: number, args: number, results: number, handler: number): number
  _lua_pushboolean(state: number, value: number): void
  _lua_pushcclosure(state: number, run: number, values: number): void
  _lua_pushnumber(state: number, value: number): void
  _lua_pushstring(state: number, text: number): void
  _lua_rawgeti(state: number, index: number, place: number): void
  _lua_rawset(state: number, index: number): void
  _lua_rawget(state: number, index: number): void
  _lua_rawseti(state: number, index: number, place: number): void
  _lua_setfield(state: number, index: number, name: number): void
  _lua_settop(state: number, index: number): void
  _lua_toboolean(state: number, index: number): number
  _lua_tolstring(state: number, index: number, length: number): number
  _lua_tonumber(state: number, index: number): number
  _lua_type(state: number, index: number): number
}

const registry = -10_000
const globals = -10_002
const types = { boolean: 1, number: 3, string: 4, table: 5 }

/** An error of a command ends the script, and is its answer. */
const prelude = `redis = {
  call = function(...)
    local answer = simulated_call(...)
    if type(answer) == 'table' and answer.err then error(answer) end
    return answer
  end,
  error_reply = function(message) return {err = message} end,
}
cjson = {decode = simulated_decode}`

export class LuaRunner {
  readonly #module: LuaModule
  readonly #state: number
  /** By text: where the function is. */
  readonly #functions = new Map<string, number>()
  #call: Call = () => null

  static async create(): Promise<LuaRunner> {
    const { luaApi, address } = (await Lua.create()).global
    return new LuaRunner(luaApi.module as unknown as LuaModule, address)
  }

  private constructor(module: LuaModule, state: number) {
    this.#module = module
    this.#state = state
    this.#register('simulated_call', () => {
      const count = module._lua_gettop(state)
      this.#push(this.#call(Array.from({ length: count }, (_, index) => this.#argument(index + 1))))
    })
    this.#register('simulated_decode', () => this.#pushDecoded(JSON.parse(this.#text(1))))
    this.run(prelude, [], [], this.#call)
  }

  /** Runs a script. */
  run(text: string, keys: readonly string[], args: readonly string[], call: Call): Reply {
    const module = this.#module
    const state = this.#state
    this.#call = call
    module._lua_rawgeti(state, registry, this.#functions.get(text) ?? this.#compile(text))
    this.#push(keys)
    this.#push(args)
    const hasFailed = module._lua_pcall(state, 2, 1, 0) !== 0
    const reply = this.#reply(-1)
    module._lua_settop(state, 0)
    return hasFailed && !(reply instanceof ReplyError) ? new ReplyError(`ERR ${String(reply)}`) : reply
  }

  #compile(text: string): number {
    const module = this.#module
    const source = module.stringToNewUTF8(`local KEYS, ARGV = ...\n${text}`)
    const code = module._luaL_loadstring(this.#state, source)
    module._free(source)
    if (code !== 0) throw new Error(this.#text(-1))
    const place = module._luaL_ref(this.#state, registry)
    this.#functions.set(text, place)
    return place
  }

  #register(name: string, run: () => void): void {
    const module = this.#module
    const pointer = module.addFunction(() => {
      run()
      return 1
    }, 'ii')
    module._lua_pushcclosure(this.#state, pointer, 0)
    const text = module.stringToNewUTF8(name)
    module._lua_setfield(this.#state, globals, text)
    module._free(text)
  }

  #text(index: number): string {
    return this.#module.UTF8ToString(this.#module._lua_tolstring(this.#state, index, 0))
  }

  /** As Redis passes numbers on: with 17 digits, and not with the 14 of Lua. */
  #argument(index: number): string {
    const isNumber = this.#module._lua_type(this.#state, index) === types.number
    return isNumber ? String(this.#module._lua_tonumber(this.#state, index)) : this.#text(index)
  }

  #pushText(text: string): void {
    const pointer = this.#module.stringToNewUTF8(text)
    this.#module._lua_pushstring(this.#state, pointer)
    this.#module._free(pointer)
  }

  #pushTable(entries: Iterable<readonly [string | number, unknown]>, push: (value: unknown) => void): void {
    this.#module._lua_createtable(this.#state, 0, 0)
    for (const [key, value] of entries) {
      if (typeof key === 'number') {
        push(value)
        this.#module._lua_rawseti(this.#state, -2, key + 1)
      } else {
        this.#pushText(key)
        push(value)
        this.#module._lua_rawset(this.#state, -3)
      }
    }
  }

  #push(reply: unknown): void {
    if (typeof reply === 'string') this.#pushText(reply)
    else if (typeof reply === 'number') this.#module._lua_pushnumber(this.#state, reply)
    else if (reply === null) this.#module._lua_pushboolean(this.#state, 0)
    else if (Array.isArray(reply)) this.#pushTable(reply.entries(), (item) => this.#push(item))
    else this.#pushTable(Object.entries(reply as object), (item) => this.#push(item))
  }

  #pushDecoded(value: unknown): void {
    const push = (item: unknown): void => this.#pushDecoded(item)
    if (typeof value === 'boolean') this.#module._lua_pushboolean(this.#state, value ? 1 : 0)
    else if (Array.isArray(value)) this.#pushTable(value.entries(), push)
    else if (typeof value === 'object' && value !== null) this.#pushTable(Object.entries(value), push)
    else this.#push(value)
  }

  /** What a script has returned: numbers lose what is behind the point, a list ends where nothing is. */
  #reply(index: number): Reply {
    const module = this.#module
    const state = this.#state
    const type = module._lua_type(state, index)
    if (type === types.string) return this.#text(index)
    if (type === types.number) return Math.trunc(module._lua_tonumber(state, index))
    if (type === types.boolean) return module._lua_toboolean(state, index) === 1 ? 1 : null
    if (type !== types.table) return null
    const failure = this.#field('err')
    if (failure !== undefined) return new ReplyError(failure)
    const status = this.#field('ok')
    if (status !== undefined) return new ReplyStatus(status)
    const items: Reply[] = []
    for (let place = 1; ; place++) {
      module._lua_rawgeti(state, -1, place)
      const isEnd = module._lua_type(state, -1) === 0
      if (!isEnd) items.push(this.#reply(-1))
      module._lua_settop(state, -2)
      if (isEnd) return items
    }
  }

  /** Of the table on top. */
  #field(name: string): string | undefined {
    this.#pushText(name)
    this.#module._lua_rawget(this.#state, -2)
    const value = this.#module._lua_type(this.#state, -1) === types.string ? this.#text(-1) : undefined
    this.#module._lua_settop(this.#state, -2)
    return value
  }
}

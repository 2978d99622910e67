/**
 * What a pool loads by `require`: it loads the module with the tasks, whose address is the first argument, by `import`, and hands tasks on to it. A thread that is ended in the middle of `require` of an
 * ES module takes the whole program with it (Node 20: `Module::IsGraphAsync must be used on an instantiated module`).
 */
type Task = (task: unknown) => unknown;

const tasks = import(process.argv[2]!) as Promise<Readonly<Record<string, Task>>>;

exports.run = async ({ name, task }: { readonly name: string; readonly task: unknown }): Promise<unknown> => (await tasks)[name]!(task);

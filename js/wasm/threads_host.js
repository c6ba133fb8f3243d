// What the module of the threaded build asks of its JS: the same function that host.ts gives to the other modules.
addToLibrary({
  tf_js_progress: (user, stage, item, done, total) => Module.progress(user, stage, item, done, total),
});

// The host half of backends/webgpu for browsers: an Emscripten JS library (linked with --js-library). It keeps one
// GPUDevice per opened C++ Gpu, encodes what it is told and never waits; results come back through C callbacks.
// No eval, no generated code: it runs under script-src 'self' 'wasm-unsafe-eval'. Members of the object are arrow functions:
// Emscripten writes them out one by one, which shorthand async methods do not survive.
addToLibrary({
  $trustformersGpu: {
    hosts: [null],
    paramsSlot: 256, // minUniformBufferOffsetAlignment at its default
    slotsPerBatch: 256,
    scopes: ['validation', 'out-of-memory', 'internal'],

    keep: (list, value) => {
      const free = list.indexOf(undefined);
      if (free < 0) return list.push(value) - 1;
      list[free] = value;
      return free;
    },

    open: async () => {
      if (!globalThis.navigator?.gpu) throw new Error('this host has no navigator.gpu');
      const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
      if (!adapter) throw new Error('the host offers no WebGPU adapter');
      const wanted = ['maxBufferSize', 'maxStorageBufferBindingSize'];
      const requiredLimits = Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]]));
      const device = await adapter.requestDevice({ requiredLimits });
      const host = {
        device,
        lost: null,
        buffers: [null],
        pipelines: [null],
        retired: [], // buffers that encoded but unsubmitted work may still use
        encoder: null,
        pass: null,
        params: new Uint8Array(trustformersGpu.paramsSlot * trustformersGpu.slotsPerBatch),
        paramsBuffer: null,
        slots: 0,
      };
      void device.lost.then((info) => {
        host.lost = `the GPU was lost: ${info.message || info.reason}`;
      });
      host.paramsBuffer = device.createBuffer({
        size: host.params.length,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      for (const scope of trustformersGpu.scopes) device.pushErrorScope(scope);
      return host;
    },

    // Errors found since the last call, as one text or ''. The scopes keep the device's own order, so a read learns of
    // every mistake encoded before it.
    takeErrors: async (host) => {
      const popped = trustformersGpu.scopes.map(() => host.device.popErrorScope());
      for (const scope of trustformersGpu.scopes) host.device.pushErrorScope(scope);
      const errors = (await Promise.all(popped)).filter((error) => error !== null);
      return errors.map((error) => error.message).join('; ');
    },

    submit: (host) => {
      if (!host.encoder) return;
      host.pass.end();
      host.device.queue.writeBuffer(host.paramsBuffer, 0, host.params, 0, host.slots * trustformersGpu.paramsSlot);
      host.device.queue.submit([host.encoder.finish()]);
      host.encoder = host.pass = null;
      host.slots = 0;
      for (const buffer of host.retired) buffer.destroy();
      host.retired.length = 0;
    },

    dispatch: (host, pipelineId, bufferIds, params, x, y, z) => {
      if (host.slots === trustformersGpu.slotsPerBatch) trustformersGpu.submit(host);
      if (!host.encoder) {
        host.encoder = host.device.createCommandEncoder();
        host.pass = host.encoder.beginComputePass();
      }
      const offset = host.slots * trustformersGpu.paramsSlot;
      host.slots += 1;
      host.params.set(params, offset);
      const entries = bufferIds.map((id, binding) => ({ binding, resource: { buffer: host.buffers[id] } }));
      entries.push({
        binding: bufferIds.length,
        resource: { buffer: host.paramsBuffer, offset, size: trustformersGpu.paramsSlot },
      });
      const pipeline = host.pipelines[pipelineId];
      host.pass.setPipeline(pipeline);
      host.pass.setBindGroup(
        0,
        host.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      );
      host.pass.dispatchWorkgroups(x, y, z);
    },

    read: async (host, bufferId, offset, bytes, copyTo) => {
      trustformersGpu.submit(host);
      const staging = host.device.createBuffer({
        size: bytes,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
      const encoder = host.device.createCommandEncoder();
      encoder.copyBufferToBuffer(host.buffers[bufferId], offset, staging, 0, bytes);
      host.device.queue.submit([encoder.finish()]);
      const errors = trustformersGpu.takeErrors(host);
      const mapped = staging.mapAsync(GPUMapMode.READ).then(
        () => '',
        (error) => error.message,
      );
      try {
        const message = (await errors) || (await mapped) || host.lost;
        if (message) throw new Error(message);
        copyTo(new Uint8Array(staging.getMappedRange()));
      } finally {
        staging.destroy();
      }
    },
  },

  trustformers_gpu_open__deps: ['$trustformersGpu', '$stringToNewUTF8', 'free'],
  trustformers_gpu_open: (state, done) => {
    const reply = (host, message) => {
      const text = message ? stringToNewUTF8(message) : 0;
      {{{ makeDynCall('vpip', 'done') }}}(state, host, text);
      _free(text);
    };
    trustformersGpu.open().then(
      (host) => reply(trustformersGpu.keep(trustformersGpu.hosts, host), ''),
      (error) => reply(0, String(error.message || error)),
    );
  },

  trustformers_gpu_close__deps: ['$trustformersGpu'],
  trustformers_gpu_close: (host) => {
    trustformersGpu.hosts[host].device.destroy();
    trustformersGpu.hosts[host] = undefined;
  },

  trustformers_gpu_buffer_limit__deps: ['$trustformersGpu'],
  trustformers_gpu_buffer_limit: (host) => {
    const { limits } = trustformersGpu.hosts[host].device;
    return Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  },

  trustformers_gpu_grid_limit__deps: ['$trustformersGpu'],
  trustformers_gpu_grid_limit: (host) =>
    trustformersGpu.hosts[host].device.limits.maxComputeWorkgroupsPerDimension,

  trustformers_gpu_create_buffer__deps: ['$trustformersGpu'],
  trustformers_gpu_create_buffer: (hostId, bytes) => {
    const host = trustformersGpu.hosts[hostId];
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return trustformersGpu.keep(host.buffers, host.device.createBuffer({ size: bytes, usage }));
  },

  trustformers_gpu_release_buffer__deps: ['$trustformersGpu'],
  trustformers_gpu_release_buffer: (hostId, buffer) => {
    const host = trustformersGpu.hosts[hostId];
    if (host.encoder) host.retired.push(host.buffers[buffer]);
    else host.buffers[buffer].destroy();
    host.buffers[buffer] = undefined;
  },

  trustformers_gpu_write_buffer__deps: ['$trustformersGpu'],
  trustformers_gpu_write_buffer: (hostId, buffer, offset, data, bytes) => {
    const host = trustformersGpu.hosts[hostId];
    // The queue writes before any later submit: what is encoded now must go first to see the old contents.
    trustformersGpu.submit(host);
    host.device.queue.writeBuffer(host.buffers[buffer], offset, HEAPU8, data, bytes);
  },

  trustformers_gpu_create_pipeline__deps: ['$trustformersGpu', '$UTF8ToString'],
  trustformers_gpu_create_pipeline: (hostId, label, labelBytes, code, codeBytes) => {
    const host = trustformersGpu.hosts[hostId];
    const module = host.device.createShaderModule({ code: UTF8ToString(code, codeBytes) });
    const pipeline = host.device.createComputePipeline({
      label: UTF8ToString(label, labelBytes),
      layout: 'auto',
      compute: { module, entryPoint: 'main' },
    });
    return host.pipelines.push(pipeline) - 1;
  },

  trustformers_gpu_dispatch__deps: ['$trustformersGpu'],
  trustformers_gpu_dispatch: (hostId, pipeline, buffers, count, params, paramsBytes, x, y, z) => {
    const ids = Array.from(HEAPU32.subarray(buffers >> 2, (buffers >> 2) + count));
    const bytes = HEAPU8.subarray(params, params + paramsBytes);
    trustformersGpu.dispatch(trustformersGpu.hosts[hostId], pipeline, ids, bytes, x, y, z);
  },

  trustformers_gpu_read_buffer__deps: ['$trustformersGpu', '$stringToNewUTF8', 'free'],
  trustformers_gpu_read_buffer: (hostId, buffer, offset, bytes, target, state, done) => {
    const reply = (message) => {
      const text = message ? stringToNewUTF8(message) : 0;
      {{{ makeDynCall('vpp', 'done') }}}(state, text);
      _free(text);
    };
    trustformersGpu
      .read(trustformersGpu.hosts[hostId], buffer, offset, bytes, (mapped) => HEAPU8.set(mapped, target))
      .then(
        () => reply(''),
        (error) => reply(String(error.message || error)),
      );
  },
});

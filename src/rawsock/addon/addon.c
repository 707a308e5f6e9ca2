/*
 * What JavaScript sees of packet.h: open, send, sendMany, setFilter, membership, stats, close, interfaceIndex and
 * interfaceName, on a handle that only this file can make. src/rawsock/native.ts has the types.
 *
 * Two rules keep hostile calls from doing harm. Memory of JavaScript is looked up again at each use, and no JavaScript
 * runs between that and the last access: a buffer that was detached or shrunk in the meantime has no bytes then. And a
 * handle is believed only with our tag on it.
 */
#include "packet.h"

#include <errno.h>
#include <net/if.h>
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Raised with every change of what JavaScript calls; src/rawsock/native.ts has the same number. */
#define ADDON_INTERFACE 1

/* The kernel's own limit of a filter: BPF_MAXINSNS. */
#define MAX_FILTER 4096

/* Lengths, then frames: the memory that batches are handed over in. */
#define LENGTHS_BYTES (PACKET_BATCH * sizeof(uint32_t))
#define MEMORY_BYTES (LENGTHS_BYTES + (size_t)PACKET_BATCH * PACKET_SLOT_BYTES)

static const napi_type_tag HANDLE_TAG = {0x6d657461726d6c62, 0x7261772d736f636b};

struct handle {
  struct packet_socket packet;
  uv_poll_t poll;
  uv_work_t closing;
  napi_env env;
  napi_ref on_batch;
  napi_ref on_error;
  napi_ref memory;
  napi_async_cleanup_hook_handle hook;
  int interface_index;
  bool is_open;
  /* The event loop until the socket is closed, and JavaScript until the external value is collected. */
  int holders;
};

static void release(struct handle *handle) {
  if (--handle->holders == 0) free(handle);
}

/* Errors */

static napi_value errno_error(napi_env env, int error, const char *step) {
  char name[32];
  char reason[128];
  char text[192];
  uv_err_name_r(-error, name, sizeof name);
  uv_strerror_r(-error, reason, sizeof reason);
  snprintf(text, sizeof text, "%s: %s", step, reason);
  napi_value code, message, result, syscall;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_error(env, code, message, &result) != napi_ok ||
      napi_create_string_utf8(env, step, NAPI_AUTO_LENGTH, &syscall) != napi_ok ||
      napi_set_named_property(env, result, "syscall", syscall) != napi_ok) {
    return NULL;
  }
  return result;
}

static napi_value throw_errno(napi_env env, int error, const char *step) {
  napi_value value = errno_error(env, error, step);
  if (value != NULL) napi_throw(env, value);
  return NULL;
}

static napi_value throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

/* For calls that fail only when memory is short or the environment ends; what they say is thrown. */
static napi_value throw_last(napi_env env) {
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) != napi_ok || is_pending) return NULL;
  const napi_extended_error_info *info = NULL;
  napi_get_last_error_info(env, &info);
  napi_throw_error(env, "ERR_NAPI", info != NULL && info->error_message != NULL ? info->error_message : "unknown");
  return NULL;
}

/* Arguments */

#define ARGUMENTS(count)                                                                       \
  napi_value args[count];                                                                      \
  size_t argc = count;                                                                         \
  if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok) return throw_last(env)

static struct handle *handle_of(napi_env env, napi_value value) {
  napi_valuetype type;
  bool is_ours = false;
  void *data = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_check_object_type_tag(env, value, &HANDLE_TAG, &is_ours) != napi_ok || !is_ours ||
      napi_get_value_external(env, value, &data) != napi_ok) {
    throw_type(env, "the first argument must be a handle that open() gave");
    return NULL;
  }
  return data;
}

static struct handle *open_handle_of(napi_env env, napi_value value) {
  struct handle *handle = handle_of(env, value);
  if (handle == NULL || handle->is_open) return handle;
  throw_errno(env, EBADF, "the socket is closed");
  return NULL;
}

/* The bytes of a Uint8Array, as they are now: none when it was detached. */
static bool bytes_of(napi_env env, napi_value value, struct iovec *bytes) {
  bool is_typed = false;
  napi_typedarray_type type;
  size_t length = 0;
  void *data = NULL;
  if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed ||
      napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    return false;
  }
  *bytes = (struct iovec){data, data == NULL ? 0 : length};
  return true;
}

static bool is_function(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

/* A whole number from `low` to `high`; 3.5 and NaN are none. */
static bool integer_of(napi_env env, napi_value value, int64_t low, int64_t high, int64_t *result) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) return false;
  if (!(number >= (double)low && number <= (double)high)) return false;
  *result = (int64_t)number;
  return (double)*result == number;
}

/* From a Uint32Array with code, jt, jf and k of each instruction; the kernel looks at whether they make sense. */
static uint16_t filter_of(napi_env env, napi_value value, struct sock_filter *filter) {
  bool is_typed = false;
  napi_typedarray_type type;
  size_t length = 0;
  void *data = NULL;
  if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed ||
      napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint32_array || data == NULL || length == 0 || length % 4 != 0 || length / 4 > MAX_FILTER) {
    throw_type(env, "the filter must be a Uint32Array of 1 to 4096 times 4 numbers");
    return 0;
  }
  const uint32_t *words = data;
  for (size_t n = 0; n < length / 4; n++, words += 4) {
    if (words[0] > UINT16_MAX || words[1] > UINT8_MAX || words[2] > UINT8_MAX) {
      throw_type(env, "an instruction of the filter must have a code below 65536 and jumps below 256");
      return 0;
    }
    filter[n] = (struct sock_filter){(uint16_t)words[0], (uint8_t)words[1], (uint8_t)words[2], words[3]};
  }
  return (uint16_t)(length / 4);
}

/* Closing */

/* On a thread of libuv's: the kernel waits until no CPU looks at the socket any more, which takes milliseconds. */
static void close_socket(uv_work_t *work) {
  struct handle *handle = work->data;
  packet_close(&handle->packet);
}

static void on_socket_closed(uv_work_t *work, int status) {
  (void)status;
  struct handle *handle = work->data;
  napi_async_cleanup_hook_handle hook = handle->hook;
  handle->hook = NULL;
  release(handle);
  /* Only now may the environment go on ending. */
  if (hook != NULL) napi_remove_async_cleanup_hook(hook);
}

static void on_poll_closed(uv_handle_t *poll) {
  struct handle *handle = poll->data;
  handle->closing.data = handle;
  if (uv_queue_work(poll->loop, &handle->closing, close_socket, on_socket_closed) == 0) return;
  close_socket(&handle->closing);
  on_socket_closed(&handle->closing, 0);
}

static void close_handle(struct handle *handle) {
  if (!handle->is_open) return;
  handle->is_open = false;
  packet_count(&handle->packet);
  uv_close((uv_handle_t *)&handle->poll, on_poll_closed);
  napi_delete_reference(handle->env, handle->on_batch);
  napi_delete_reference(handle->env, handle->on_error);
  napi_delete_reference(handle->env, handle->memory);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  close_handle(data);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release(data);
}

/* Receiving */

/* Calls a function of JavaScript from the event loop. What it throws ends the process, or goes to uncaughtException. */
static void call(napi_env env, napi_value function, napi_value argument) {
  napi_value global, result, error;
  if (napi_get_global(env, &global) != napi_ok) return;
  if (napi_make_callback(env, NULL, global, function, 1, &argument, &result) != napi_pending_exception) return;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

static void fail(struct handle *handle, int error, const char *step) {
  napi_env env = handle->env;
  napi_value on_error = NULL;
  bool is_found = napi_get_reference_value(env, handle->on_error, &on_error) == napi_ok && on_error != NULL;
  close_handle(handle);
  napi_value value = errno_error(env, error, step);
  if (is_found && value != NULL) call(env, on_error, value);
}

static void take_batch(struct handle *handle) {
  napi_env env = handle->env;
  napi_value memory, on_batch, count;
  void *data = NULL;
  size_t size = 0;
  if (napi_get_reference_value(env, handle->memory, &memory) != napi_ok ||
      napi_get_arraybuffer_info(env, memory, &data, &size) != napi_ok || data == NULL || size < MEMORY_BYTES) {
    fail(handle, EFAULT, "the memory for frames was taken away");
    return;
  }
  uint32_t *lengths = data;
  int result = packet_receive(&handle->packet, (uint8_t *)data + LENGTHS_BYTES, lengths);
  if (result == -EAGAIN || result == -EINTR) return;
  if (result < 0) {
    fail(handle, -result, "recvmmsg");
    return;
  }
  bool is_any = false;
  for (int n = 0; n < result; n++) is_any = is_any || lengths[n] != 0;
  if (!is_any) return;
  if (napi_get_reference_value(env, handle->on_batch, &on_batch) != napi_ok ||
      napi_create_int32(env, result, &count) != napi_ok) {
    return;
  }
  call(env, on_batch, count);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct handle *handle = poll->data;
  napi_handle_scope scope;
  if (napi_open_handle_scope(handle->env, &scope) != napi_ok) return;
  if (status < 0) {
    /* The socket has an error; libuv has stopped polling. The error may be gone again, with frames behind it. */
    int error = packet_error(&handle->packet);
    if (error == 0) error = uv_poll_start(poll, UV_READABLE, on_poll);
    if (error != 0) fail(handle, -error, "poll");
  } else {
    take_batch(handle);
  }
  napi_close_handle_scope(handle->env, scope);
}

/* Functions for JavaScript */

static bool make_references(napi_env env, struct handle *handle, napi_value memory, napi_value *functions) {
  if (napi_create_reference(env, memory, 1, &handle->memory) == napi_ok) {
    if (napi_create_reference(env, functions[0], 1, &handle->on_batch) == napi_ok) {
      if (napi_create_reference(env, functions[1], 1, &handle->on_error) == napi_ok) return true;
      napi_delete_reference(env, handle->on_batch);
    }
    napi_delete_reference(env, handle->memory);
  }
  return false;
}

static napi_value open_result(napi_env env, napi_value external, napi_value memory) {
  napi_value result, batch, slot;
  if (napi_create_object(env, &result) != napi_ok ||
      napi_set_named_property(env, result, "handle", external) != napi_ok ||
      napi_set_named_property(env, result, "memory", memory) != napi_ok ||
      napi_create_uint32(env, PACKET_BATCH, &batch) != napi_ok ||
      napi_set_named_property(env, result, "slots", batch) != napi_ok ||
      napi_create_uint32(env, PACKET_SLOT_BYTES, &slot) != napi_ok ||
      napi_set_named_property(env, result, "slotBytes", slot) != napi_ok) {
    return NULL;
  }
  return result;
}

/* open(index, etherType, filter, receiveBufferBytes, onBatch, onError) */
static napi_value js_open(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  int64_t index, protocol, buffer_bytes;
  if (!integer_of(env, args[0], 1, INT32_MAX, &index)) return throw_type(env, "index must be a number from 1 on");
  if (!integer_of(env, args[1], 0, UINT16_MAX, &protocol)) return throw_type(env, "etherType must be below 65536");
  if (!integer_of(env, args[3], 1, INT32_MAX / 2, &buffer_bytes)) {
    return throw_type(env, "receiveBufferBytes must be a number from 1 on");
  }
  if (!is_function(env, args[4]) || !is_function(env, args[5])) {
    return throw_type(env, "onBatch and onError must be functions");
  }
  struct sock_filter filter[MAX_FILTER];
  uint16_t filter_length = filter_of(env, args[2], filter);
  if (filter_length == 0) return NULL;

  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) return throw_errno(env, ENOMEM, "calloc");
  handle->env = env;
  handle->interface_index = (int)index;
  struct packet_options options = {(int)index, (uint16_t)protocol, filter, filter_length, (int)buffer_bytes};
  const char *step = "";
  int result = packet_open(&handle->packet, &options, &step);
  if (result < 0) {
    free(handle);
    return throw_errno(env, -result, step);
  }

  uv_loop_t *loop = NULL;
  napi_value memory, external, opened;
  void *unused;
  bool is_external = false;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok ||
      napi_create_arraybuffer(env, MEMORY_BYTES, &unused, &memory) != napi_ok ||
      napi_create_external(env, handle, on_collected, NULL, &external) != napi_ok) {
    goto failed;
  }
  is_external = true;
  handle->holders = 1;
  if (napi_type_tag_object(env, external, &HANDLE_TAG) != napi_ok ||
      (opened = open_result(env, external, memory)) == NULL || !make_references(env, handle, memory, &args[4])) {
    goto failed;
  }
  if ((result = uv_poll_init(loop, &handle->poll, handle->packet.fd)) < 0) {
    napi_delete_reference(env, handle->memory);
    napi_delete_reference(env, handle->on_batch);
    napi_delete_reference(env, handle->on_error);
    packet_close(&handle->packet);
    return throw_errno(env, -result, "uv_poll_init");
  }
  handle->poll.data = handle;
  handle->holders = 2;
  handle->is_open = true;
  result = uv_poll_start(&handle->poll, UV_READABLE, on_poll);
  if (result < 0) {
    close_handle(handle);
    return throw_errno(env, -result, "uv_poll_start");
  }
  if (napi_add_async_cleanup_hook(env, on_environment_end, handle, &handle->hook) != napi_ok) {
    close_handle(handle);
    return throw_last(env);
  }
  return opened;

failed:
  packet_close(&handle->packet);
  if (!is_external) free(handle);
  return throw_last(env);
}

/* send(handle, frame) */
static napi_value js_send(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct handle *handle = open_handle_of(env, args[0]);
  if (handle == NULL) return NULL;
  struct iovec frame;
  if (!bytes_of(env, args[1], &frame)) return throw_type(env, "a frame must be a Uint8Array");
  int result = packet_send(&handle->packet, &frame, 1);
  return result < 0 ? throw_errno(env, -result, "send") : NULL;
}

static napi_value throw_after(napi_env env, int error, uint32_t sent) {
  napi_value value = errno_error(env, error, "sendmmsg");
  napi_value number;
  if (value == NULL || napi_create_uint32(env, sent, &number) != napi_ok ||
      napi_set_named_property(env, value, "sent", number) != napi_ok) {
    return throw_last(env);
  }
  napi_throw(env, value);
  return NULL;
}

/* Sends frames from `first` on, in one call to the kernel. Gives how many went, 0 when something was thrown. */
static uint32_t send_some(napi_env env, napi_value handle_value, napi_value list, uint32_t first, uint32_t length) {
  napi_value values[PACKET_BATCH];
  struct iovec frames[PACKET_BATCH];
  uint32_t count = length - first < PACKET_BATCH ? length - first : PACKET_BATCH;
  /* Elements may be getters, and run JavaScript: all of that first. */
  for (uint32_t n = 0; n < count; n++) {
    if (napi_get_element(env, list, first + n, &values[n]) != napi_ok) {
      throw_last(env);
      return 0;
    }
  }
  struct handle *handle = open_handle_of(env, handle_value);
  if (handle == NULL) return 0;
  for (uint32_t n = 0; n < count; n++) {
    if (!bytes_of(env, values[n], &frames[n])) {
      throw_type(env, "each frame must be a Uint8Array");
      return 0;
    }
  }
  int result = packet_send(&handle->packet, frames, count);
  if (result > 0) return (uint32_t)result;
  throw_after(env, -result, first);
  return 0;
}

/* sendMany(handle, frames) */
static napi_value js_send_many(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  bool is_array = false;
  uint32_t length = 0;
  if (napi_is_array(env, args[1], &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, args[1], &length) != napi_ok) {
    return throw_type(env, "frames must be an array");
  }
  if (open_handle_of(env, args[0]) == NULL) return NULL;
  for (uint32_t sent = 0; sent < length;) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return throw_last(env);
    uint32_t more = send_some(env, args[0], args[1], sent, length);
    napi_close_handle_scope(env, scope);
    if (more == 0) return NULL;
    sent += more;
  }
  return NULL;
}

/* setFilter(handle, filter) */
static napi_value js_set_filter(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct handle *handle = open_handle_of(env, args[0]);
  if (handle == NULL) return NULL;
  struct sock_filter filter[MAX_FILTER];
  uint16_t length = filter_of(env, args[1], filter);
  if (length == 0) return NULL;
  int result = packet_set_filter(&handle->packet, filter, length);
  return result < 0 ? throw_errno(env, -result, "SO_ATTACH_FILTER") : NULL;
}

/* membership(handle, mac, isJoin) */
static napi_value js_membership(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct handle *handle = open_handle_of(env, args[0]);
  if (handle == NULL) return NULL;
  struct iovec mac;
  bool is_join;
  if (!bytes_of(env, args[1], &mac) || mac.iov_len != 6) return throw_type(env, "mac must be a Uint8Array of 6 bytes");
  if (napi_get_value_bool(env, args[2], &is_join) != napi_ok) return throw_type(env, "isJoin must be a boolean");
  int result = packet_membership(&handle->packet, handle->interface_index, mac.iov_base, is_join);
  if (result >= 0) return NULL;
  return throw_errno(env, -result, is_join ? "PACKET_ADD_MEMBERSHIP" : "PACKET_DROP_MEMBERSHIP");
}

/* stats(handle): also after close() */
static napi_value js_stats(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct handle *handle = handle_of(env, args[0]);
  if (handle == NULL) return NULL;
  if (handle->is_open) {
    int error = packet_count(&handle->packet);
    if (error < 0) return throw_errno(env, -error, "PACKET_STATISTICS");
  }
  const struct packet_counters *counters = &handle->packet.counters;
  const struct {
    const char *name;
    uint64_t value;
  } fields[] = {
      {"received", counters->received},    {"dropped", counters->dropped},     {"tagged", counters->tagged},
      {"otherHost", counters->other_host}, {"oversized", counters->oversized},
  };
  napi_value result, number;
  if (napi_create_object(env, &result) != napi_ok) return throw_last(env);
  for (size_t n = 0; n < sizeof fields / sizeof *fields; n++) {
    if (napi_create_double(env, (double)fields[n].value, &number) != napi_ok ||
        napi_set_named_property(env, result, fields[n].name, number) != napi_ok) {
      return throw_last(env);
    }
  }
  return result;
}

/* close(handle): a second time does nothing */
static napi_value js_close(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct handle *handle = handle_of(env, args[0]);
  if (handle != NULL) close_handle(handle);
  return NULL;
}

/* interfaceIndex(name) */
static napi_value js_interface_index(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  /* Room to see that a name is too long. */
  char name[IF_NAMESIZE + 8];
  size_t length = 0;
  if (napi_get_value_string_utf8(env, args[0], name, sizeof name, &length) != napi_ok) {
    return throw_type(env, "name must be a string");
  }
  if (length == 0 || length >= IF_NAMESIZE || strlen(name) != length) return throw_errno(env, ENODEV, "if_nametoindex");
  unsigned int index = if_nametoindex(name);
  if (index == 0) return throw_errno(env, errno, "if_nametoindex");
  napi_value result;
  return napi_create_uint32(env, index, &result) == napi_ok ? result : throw_last(env);
}

/* interfaceName(index) */
static napi_value js_interface_name(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int64_t index;
  char name[IF_NAMESIZE];
  if (!integer_of(env, args[0], 1, INT32_MAX, &index)) return throw_type(env, "index must be a number from 1 on");
  if (if_indextoname((unsigned int)index, name) == NULL) return throw_errno(env, errno, "if_indextoname");
  napi_value result;
  return napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &result) == napi_ok ? result : throw_last(env);
}

NAPI_MODULE_INIT() {
  napi_value interface_number;
  const napi_property_descriptor functions[] = {
      {"open", NULL, js_open, NULL, NULL, NULL, napi_enumerable, NULL},
      {"send", NULL, js_send, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sendMany", NULL, js_send_many, NULL, NULL, NULL, napi_enumerable, NULL},
      {"setFilter", NULL, js_set_filter, NULL, NULL, NULL, napi_enumerable, NULL},
      {"membership", NULL, js_membership, NULL, NULL, NULL, napi_enumerable, NULL},
      {"stats", NULL, js_stats, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, js_close, NULL, NULL, NULL, napi_enumerable, NULL},
      {"interfaceIndex", NULL, js_interface_index, NULL, NULL, NULL, napi_enumerable, NULL},
      {"interfaceName", NULL, js_interface_name, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok ||
      napi_create_uint32(env, ADDON_INTERFACE, &interface_number) != napi_ok ||
      napi_set_named_property(env, exports, "interfaceNumber", interface_number) != napi_ok) {
    return throw_last(env);
  }
  return exports;
}

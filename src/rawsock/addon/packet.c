#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <unistd.h>

/* Linux 4.20; older headers have not got it. */
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static int checked(int result) { return result < 0 ? -errno : result; }

static int set_int(int fd, int level, int option, int value) {
  return checked(setsockopt(fd, level, option, &value, sizeof value));
}

static int attach(int fd, const struct sock_filter *filter, uint16_t length) {
  /* The kernel copies it and never writes. */
  struct sock_fprog program = {.len = length, .filter = (struct sock_filter *)filter};
  return checked(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

static int set_up(int fd, const struct packet_options *options, const char **step) {
  int result;
  *step = "SO_ATTACH_FILTER";
  if ((result = attach(fd, options->filter, options->filter_length)) < 0) return result;
  *step = "PACKET_AUXDATA";
  if ((result = set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1)) < 0) return result;
  /* Before Linux 4.20 there is none; packet_receive sets aside what comes. */
  *step = "PACKET_IGNORE_OUTGOING";
  result = set_int(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  if (result < 0 && result != -ENOPROTOOPT && result != -EINVAL) return result;
  /* Beyond net.core.rmem_max only with CAP_NET_ADMIN; without it the kernel takes as much as it allows. */
  *step = "SO_RCVBUF";
  if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, options->receive_buffer_bytes) < 0 &&
      (result = set_int(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer_bytes)) < 0) {
    return result;
  }
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET,
      .sll_protocol = htons(options->protocol),
      .sll_ifindex = options->interface_index,
  };
  *step = "bind";
  if ((result = checked(bind(fd, (struct sockaddr *)&address, sizeof address))) < 0) return result;
  /* On an interface that is down bind() succeeds, and the socket has the error. */
  int error = 0;
  socklen_t size = sizeof error;
  if ((result = checked(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))) < 0) return result;
  return -error;
}

static void make_ready(struct packet_received *batch, int count) {
  for (int n = 0; n < count; n++) {
    batch->messages[n].msg_hdr = (struct msghdr){
        .msg_name = &batch->addresses[n],
        .msg_namelen = sizeof batch->addresses[n],
        .msg_iov = &batch->parts[n],
        .msg_iovlen = 1,
        .msg_control = batch->controls[n].bytes,
        .msg_controllen = sizeof batch->controls[n].bytes,
    };
  }
  batch->used = 0;
}

int packet_open(struct packet_socket *self, const struct packet_options *options, const char **step) {
  memset(self, 0, sizeof *self);
  self->fd = -1;
  *step = "socket";
  /* Protocol 0 receives nothing: no frame of another interface, or past the filter, gets in before bind(). */
  int fd = checked(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd < 0) return fd;
  int result = set_up(fd, options, step);
  if (result < 0) {
    close(fd);
    return result;
  }
  make_ready(&self->batch, PACKET_BATCH);
  self->fd = fd;
  return 0;
}

void packet_close(struct packet_socket *self) {
  if (self->fd < 0) return;
  close(self->fd);
  self->fd = -1;
}

/*
 * Of another VLAN than the interface's own. The kernel takes the tag out of the frame and keeps it beside it; where no
 * interface has this VLAN it goes on with the frame as one for another host, without the tag. VLAN 0 is a priority and no
 * VLAN (IEEE 802.1Q-2018, 9.6): such a frame is as good as one without a tag, as it is to the kernel.
 */
static bool is_tagged(struct msghdr *message, const struct sockaddr_ll *from, const uint8_t *frame) {
  for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each != NULL; each = CMSG_NXTHDR(message, each)) {
    if (each->cmsg_level != SOL_PACKET || each->cmsg_type != PACKET_AUXDATA) continue;
    struct tpacket_auxdata aux;
    memcpy(&aux, CMSG_DATA(each), sizeof aux);
    if ((aux.tp_status & TP_STATUS_VLAN_VALID) != 0 && (aux.tp_vlan_tci & 0x0fff) != 0) return true;
  }
  bool is_group = (frame[0] & 1) != 0;
  return is_group && from->sll_pkttype == PACKET_OTHERHOST;
}

/* Gives how much of the frame is for us: all or nothing. */
static uint32_t accepted(struct packet_socket *self, int n) {
  struct mmsghdr *message = &self->batch.messages[n];
  const struct sockaddr_ll *from = &self->batch.addresses[n];
  if (from->sll_pkttype == PACKET_OUTGOING || message->msg_len < ETH_HLEN) return 0;
  if (is_tagged(&message->msg_hdr, from, self->batch.parts[n].iov_base)) {
    self->counters.tagged++;
    return 0;
  }
  if (from->sll_pkttype == PACKET_OTHERHOST) {
    self->counters.other_host++;
    return 0;
  }
  if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
    self->counters.oversized++;
    return 0;
  }
  return message->msg_len;
}

int packet_receive(struct packet_socket *self, uint8_t *slots, uint32_t *lengths) {
  struct packet_received *batch = &self->batch;
  make_ready(batch, batch->used);
  for (int n = 0; n < PACKET_BATCH; n++) {
    batch->parts[n] = (struct iovec){slots + (size_t)n * PACKET_SLOT_BYTES, PACKET_SLOT_BYTES};
  }
  int count = checked(recvmmsg(self->fd, batch->messages, PACKET_BATCH, MSG_DONTWAIT, NULL));
  if (count < 0) return count;
  batch->used = count;
  for (int n = 0; n < count; n++) lengths[n] = accepted(self, n);
  return count;
}

int packet_send(const struct packet_socket *self, const struct iovec *frames, unsigned int count) {
  if (count == 1) {
    int result = checked((int)send(self->fd, frames->iov_base, frames->iov_len, MSG_DONTWAIT));
    return result < 0 ? result : 1;
  }
  struct mmsghdr messages[PACKET_BATCH];
  if (count > PACKET_BATCH) count = PACKET_BATCH;
  memset(messages, 0, sizeof *messages * count);
  for (unsigned int n = 0; n < count; n++) {
    messages[n].msg_hdr.msg_iov = (struct iovec *)&frames[n];
    messages[n].msg_hdr.msg_iovlen = 1;
  }
  return checked(sendmmsg(self->fd, messages, count, MSG_DONTWAIT));
}

int packet_set_filter(const struct packet_socket *self, const struct sock_filter *filter, uint16_t length) {
  return attach(self->fd, filter, length);
}

int packet_membership(const struct packet_socket *self, int interface_index, const uint8_t mac[6], bool is_join) {
  struct packet_mreq request = {.mr_ifindex = interface_index, .mr_type = PACKET_MR_MULTICAST, .mr_alen = 6};
  memcpy(request.mr_address, mac, 6);
  int option = is_join ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;
  return checked(setsockopt(self->fd, SOL_PACKET, option, &request, sizeof request));
}

int packet_count(struct packet_socket *self) {
  /* The kernel begins again at 0 each time. */
  struct tpacket_stats stats;
  socklen_t size = sizeof stats;
  int result = checked(getsockopt(self->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size));
  if (result < 0) return result;
  self->counters.received += stats.tp_packets;
  self->counters.dropped += stats.tp_drops;
  return 0;
}

int packet_error(const struct packet_socket *self) {
  int error = 0;
  socklen_t size = sizeof error;
  int result = checked(getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &size));
  return result < 0 ? result : -error;
}

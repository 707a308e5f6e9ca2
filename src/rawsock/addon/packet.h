/* AF_PACKET sockets without any JavaScript: see packet(7). Every function gives 0 or more, or a negative errno. */
#ifndef METALLB_FRR_PACKET_H
#define METALLB_FRR_PACKET_H

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Frames of one call, received or sent. */
#define PACKET_BATCH 64
/* Room for one received frame. ARP and Neighbor Discovery need a tenth of it. */
#define PACKET_SLOT_BYTES 2048

struct packet_counters {
  uint64_t received;   /* by the kernel, for this socket: delivered, dropped and set aside */
  uint64_t dropped;    /* by the kernel: the receive buffer was full */
  uint64_t tagged;     /* set aside: of another VLAN */
  uint64_t other_host; /* set aside: for another MAC address, heard because the interface is promiscuous */
  uint64_t oversized;  /* set aside: larger than a slot */
};

struct packet_received {
  struct mmsghdr messages[PACKET_BATCH];
  struct iovec parts[PACKET_BATCH];
  struct sockaddr_ll addresses[PACKET_BATCH];
  union {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
  } controls[PACKET_BATCH];
  int used; /* messages that the kernel has written to since they were made ready */
};

struct packet_socket {
  int fd; /* -1 when closed */
  struct packet_counters counters;
  struct packet_received batch;
};

struct packet_options {
  int interface_index;
  uint16_t protocol; /* EtherType in host byte order */
  const struct sock_filter *filter;
  uint16_t filter_length;
  int receive_buffer_bytes;
};

/* Opens a socket on one interface that is up; *step names the system call that failed. */
int packet_open(struct packet_socket *socket, const struct packet_options *options, const char **step);

void packet_close(struct packet_socket *socket);

/*
 * Takes what has arrived, without waiting: `slots` is PACKET_BATCH times PACKET_SLOT_BYTES. The frame in slot n is
 * lengths[n] bytes long, 0 for one that was set aside. Gives how many slots were filled; -EAGAIN for none.
 */
int packet_receive(struct packet_socket *socket, uint8_t *slots, uint32_t *lengths);

/* Sends whole frames, at most PACKET_BATCH, in this order; gives how many, which is not 0. */
int packet_send(const struct packet_socket *socket, const struct iovec *frames, unsigned int count);

int packet_set_filter(const struct packet_socket *socket, const struct sock_filter *filter, uint16_t length);

/* Has the interface receive frames for a multicast MAC address, or no longer. The kernel counts. */
int packet_membership(const struct packet_socket *socket, int interface_index, const uint8_t mac[6], bool is_join);

/* Brings the counters up to date. */
int packet_count(struct packet_socket *socket);

/* What the kernel reports of the socket since it was last asked; 0 for nothing. */
int packet_error(const struct packet_socket *socket);

#endif

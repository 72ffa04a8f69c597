"""The queues of background jobs in RabbitMQ, and the sink that publishes jobs to them.

The arguments of a queue cannot be changed after it was declared: RabbitMQ answers
PRECONDITION_FAILED. Other arguments need another queue name.
https://www.rabbitmq.com/docs/quorum-queues
"""

import logging
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed
from celery import Celery
from kombu.entity import Exchange, Queue

from chassis.jobs.job_settings import JobSettings
from chassis.jobs.relay import Message, SinkError
from chassis.settings import ConfigError

# A frozen broker answers nothing, and TCP reports that only after minutes.
CONNECT_SECONDS, CONFIRM_SECONDS = 3, 5
# After so many deliveries, each ended by the loss of its worker, the broker dead-letters a message.
DELIVERIES = 20
UNCONFIRMED = (
    f"The broker confirms no jobs within {CONFIRM_SECONDS} s. If this goes on, the broker may have"
    " an alarm (disk, memory: `rabbitmq-diagnostics alarms`), or the queue has no leader: see"
    " docs/jobs.md."
)
ROUTE = ""  # AMQP's default exchange: the routing key is the name of the queue.

_log = logging.getLogger(__name__)


def queues(name: str) -> tuple[Queue, Queue]:
    """Return the queue of jobs and its dead-letter queue, which a relay empties."""
    dead = _queue(f"{name}.jobs.dead", {"x-queue-type": "quorum"})
    jobs = _queue(
        f"{name}.jobs",
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERIES,
            "x-dead-letter-exchange": ROUTE,
            "x-dead-letter-routing-key": dead.name,
            "x-dead-letter-strategy": "at-least-once",
            # at-least-once requires this value; the queue has no length limit.
            "x-overflow": "reject-publish",
        },
    )
    return jobs, dead


def _queue(name: str, arguments: dict[str, Any]) -> Queue:
    made: Any = Queue  # Kombu's constructors are untyped.
    exchange: Any = Exchange
    queue: Queue = made(name, exchange(ROUTE), routing_key=name, queue_arguments=arguments)
    return queue


def celery_app(config: JobSettings) -> Celery:
    jobs, _ = queues(config.name)
    app = Celery(config.name, broker=config.broker_url)
    app.conf.update(
        task_queues=[jobs],
        task_default_queue=jobs.name,
        task_default_exchange=ROUTE,
        task_default_routing_key=jobs.name,
        task_ignore_result=True,  # The job's row in PostgreSQL has the result.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        accept_content=["json"],
        # A lost worker's prefetched messages would count as delivered.
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"connect_timeout": CONNECT_SECONDS},
    )
    return app


def require_access(config: JobSettings) -> None:
    """Raise ConfigError if the broker refuses user, password or virtual host.

    A broker that does not answer yet is no error: worker and relay wait for it.
    """
    try:
        with celery_app(config).connection_for_write() as connection:
            connection.connect()
    except (AccessRefused, NotAllowed) as error:
        raise ConfigError(
            f"BROKER_URL: The broker refuses the connection: {error.reply_text}"
        ) from None
    except (AMQPError, OSError):
        return


class BrokerSink:
    """Publishes a batch of messages, then waits up to CONFIRM_SECONDS for publisher confirms."""

    limit = 200
    lease = 30

    def __init__(self, config: JobSettings) -> None:
        self._app = celery_app(config)
        self._jobs, self._dead = queues(config.name)
        self._channel: Any = None
        self._confirmed: list[tuple[int, bool]] = []
        self._unroutable = False

    def send(self, messages: list[Message]) -> Iterator[Message]:
        """Publish the messages and yield each that the broker confirmed.

        Raise SinkError where the broker does not confirm all of them in time.
        """
        waiting: dict[int, Message] = {}
        try:
            channel = self._open_channel()
            for message in messages:
                self._publish(channel, message)
                self._last_tag += 1
                waiting[self._last_tag] = message
            deadline = time.monotonic() + CONFIRM_SECONDS
            while waiting:
                yield from self._take_confirmed(waiting)
                if waiting:
                    _drain(channel.connection, deadline)
        except (AMQPError, OSError) as error:
            self.close()
            if waiting and isinstance(error, TimeoutError):
                raise SinkError(UNCONFIRMED) from error
            raise SinkError(f"The broker accepts no jobs ({error!r}).") from error

    def returned(self) -> Iterator[UUID]:
        try:
            channel = self._open_channel()
            while message := channel.basic_get(self._dead.name, no_ack=False):
                yield UUID(message.properties["correlation_id"])
                channel.basic_ack(message.delivery_tag)
        except (AMQPError, OSError) as error:
            self.close()
            raise SinkError(f"The broker does not answer ({error!r}).") from error

    def close(self) -> None:
        """Close the socket without AMQP's handshake, which a frozen broker would not answer."""
        channel, self._channel = self._channel, None
        if channel and channel.connection:
            channel.connection.collect()

    def _publish(self, channel: Any, message: Message) -> None:
        name, job_id = message.task, str(message.job_id)
        made = self._app.amqp.create_task_message(job_id, name, (), {})
        self._app.amqp.Producer(channel, auto_declare=False).publish(
            made.body,
            exchange=ROUTE,
            routing_key=self._jobs.name,
            serializer="json",
            headers=made.headers,
            delivery_mode=2,
            mandatory=True,
            **made.properties,
        )

    def _take_confirmed(self, waiting: dict[int, Message]) -> Iterator[Message]:
        if self._unroutable:
            raise OSError("the queue is missing")
        while self._confirmed:
            tag, multiple = self._confirmed.pop(0)
            for one in [one for one in waiting if one == tag or (multiple and one < tag)]:
                yield waiting.pop(one)

    def _open_channel(self) -> Any:
        if self._channel is None:
            connection = self._app.connection_for_write(
                heartbeat=0,
                connect_timeout=CONNECT_SECONDS,
                transport_options={
                    "read_timeout": CONFIRM_SECONDS,
                    "write_timeout": CONFIRM_SECONDS,
                    "connect_timeout": CONNECT_SECONDS,
                },
            )
            channel = connection.connect().channel()
            for queue in (self._dead, self._jobs):
                bound: Any = queue(channel)
                bound.declare()
            channel.confirm_select()
            self._confirmed, self._unroutable, self._last_tag = [], False, 0
            channel.events["basic_ack"].add(lambda *tag: self._confirmed.append(tag))
            channel.events["basic_nack"].add(self._refuse)
            channel.events["basic_return"].add(self._refuse)
            self._channel = channel
            _log.info("The relay is ready: the broker has the queue %s.", self._jobs.name)
        return self._channel

    def _refuse(self, *_: object) -> None:
        self._unroutable = True


def _drain(connection: Any, deadline: float) -> None:
    """Handle the broker's next frame. Raise TimeoutError where none comes before the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no publisher confirm in time")
    connection.drain_events(timeout=left)

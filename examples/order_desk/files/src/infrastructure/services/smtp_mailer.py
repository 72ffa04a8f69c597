import smtplib
from email.message import EmailMessage

from src.services.ports import Mailer

SECONDS = 5


class SmtpMailer(Mailer):
    def __init__(self, host: str, port: int, sender: str) -> None:
        self._host, self._port, self._sender = host, port, sender

    def send(self, to: str, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message.set_content(text)
        with smtplib.SMTP(self._host, self._port, timeout=SECONDS) as server:
            server.send_message(message)

"""Mails of several sizes over one connection each.   mail.py COUNT"""
import smtplib
import sys

for number in range(int(sys.argv[1])):
    with smtplib.SMTP("smtp", 25, timeout=30) as server:
        shown = [server.ehlo("real.example")[0], server.noop()]
        for size in (10, 3_000_000) if number == 0 else (10,):
            server.mail("a@example.com")
            server.rcpt("b@example.com")
            shown.append(server.data("Subject: mail\r\n\r\n" + ".a line\r\n" * (size // 9)))
        shown.append(server.docmd("NONSENSE"))
        if number == 0:
            print(*shown, sep="\n")

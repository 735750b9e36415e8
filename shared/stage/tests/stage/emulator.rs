//! The emulator comes up, is an account of its own, and goes.

use stage::Emulator;

use crate::account::{Account, Connection};

#[tokio::test]
async fn it_comes_up_usable_and_goes_with_its_handle() {
    let emulator = Emulator::start().await.unwrap();
    assert!(emulator.endpoint().starts_with("http://127.0.0.1:"), "{}", emulator.endpoint());
    let mut connection = Connection::to(emulator.address()).await;
    let (status, body) = connection.query("sts", "Action=GetCallerIdentity&Version=2011-06-15").await.unwrap();
    assert_eq!(status, 200);
    assert!(body.contains(&format!("<Account>{}</Account>", stage::ACCOUNT)), "{body}");

    let address = emulator.address();
    drop(emulator);
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("something still listens on {address}");
}

#[tokio::test]
async fn reset_empties_the_account_and_managed_policies_stay() {
    let account = Account::open().await;
    account.query("iam", "Action=CreateUser&Version=2010-05-08&UserName=bob").await;
    let users = "Action=ListUsers&Version=2010-05-08";
    assert!(account.query("iam", users).await.1.contains("<UserName>bob</UserName>"));
    account.emulator.reset().await.unwrap();
    assert!(!account.query("iam", users).await.1.contains("bob"));

    account.query("iam", "Action=CreateUser&Version=2010-05-08&UserName=eve").await;
    let attach =
        "Action=AttachUserPolicy&Version=2010-05-08&UserName=eve&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess";
    let (status, body) = account.query("iam", attach).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn two_emulators_are_two_accounts() {
    let (one, other) = tokio::join!(Account::open(), Account::open());
    one.query("iam", "Action=CreateUser&Version=2010-05-08&UserName=bob").await;
    assert!(!other.query("iam", "Action=ListUsers&Version=2010-05-08").await.1.contains("bob"));
}

#[tokio::test]
async fn the_enforcing_one_looks_at_signatures() {
    let emulator = Emulator::start_enforcing().await.unwrap();
    let mut connection = Connection::to(emulator.address()).await;
    let (status, body) = connection.query("iam", "Action=ListUsers&Version=2010-05-08").await.unwrap();
    assert!(status == 400 && body.contains("<Code>IncompleteSignature</Code>"), "{status} {body}");
    emulator.reset().await.unwrap();
}
